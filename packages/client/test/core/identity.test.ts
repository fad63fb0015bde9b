import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { base64url } from '../../src/core/base64url.ts';
import { freshIdentity } from '../../src/core/identity.ts';
import { freshMemory, parseMemory } from '../../src/core/memory.ts';

const cryptography = {
  randomBytes: (count: number): Uint8Array => randomBytes(count),
  sha256: async (bytes: Uint8Array): Promise<Uint8Array> => bytes,
};

test('base64url is that of the platform, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(base64url(bytes), Buffer.from(bytes).toString('base64url'));
    }),
  );
});

test('an identity is a UUID of version 4 and a secret that the server takes', () => {
  for (let count = 0; count < 200; count += 1) {
    const { id, secret } = freshIdentity(cryptography);
    assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  }
});

test('a text that no client wrote whole is a fresh installation', () => {
  const memory = freshMemory(freshIdentity(cryptography));
  const text = JSON.stringify(memory);
  assert.deepEqual(parseMemory(text), memory);
  for (let length = 0; length < text.length; length += 1) {
    assert.equal(parseMemory(text.slice(0, length)), null);
  }
  fc.assert(fc.property(fc.json(), (json) => assert.equal(parseMemory(json), null)));
  assert.equal(parseMemory(JSON.stringify({ ...memory, version: 2 })), null);
  assert.equal(parseMemory(null), null);
});
