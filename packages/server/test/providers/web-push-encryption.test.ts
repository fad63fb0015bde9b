import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readAuthSecret, readPublicKey } from '../../src/domain/web-push-keys.ts';
import { contentKeys, hmac, sealMessage } from '../../src/providers/webpush/content-encoding.ts';
import { encryptMessage, encryptOnce } from '../../src/providers/webpush/message-encryption.ts';
import { paddedBytesOf, WEB_PUSH_PAYLOAD_BYTES } from '../../src/providers/webpush/padding.ts';
import { parseWebPushSettings } from '../../src/providers/webpush/settings.ts';
import { signVapidToken, VapidToken } from '../../src/providers/webpush/vapid-token.ts';
import { makeVapidKeys, requireWebPushSettings } from './vapid-keys.ts';
import { decryptContent, parseContent, WebPushUserAgent } from './web-push-user-agent.ts';

type Vector = Readonly<Record<string, string>>;

const vectors = JSON.parse(
  readFileSync(new URL('../data/test-vectors.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Vector>>;

function vector(name: string): (field: string) => Buffer {
  return (field) => {
    const value = vectors[name]?.[field];
    assert.ok(value !== undefined, `${name}.${field}`);
    return Buffer.from(value, 'base64url');
  };
}

function countDifferent(values: readonly Buffer[]): number {
  return new Set(values.map((value) => value.toString('hex'))).size;
}

function senderOf(privateKey: Buffer) {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  return ecdh;
}

describe('the encryption of Web Push', () => {
  it('makes exactly the message of RFC 8291, appendix A', () => {
    const of = vector('rfc8291_appendixA');
    const ecdh = senderOf(of('as_private'));
    assert.deepEqual(ecdh.getPublicKey(), of('as_public'));
    assert.deepEqual(ecdh.computeSecret(of('ua_public')), of('ecdh_secret'));
    assert.deepEqual(hmac(of('auth_secret'), of('ecdh_secret')), of('prk_key'));
    assert.deepEqual(hmac(of('prk_key'), Buffer.concat([of('key_info'), Buffer.of(1)])), of('ikm'));
    assert.deepEqual(hmac(of('salt'), of('ikm')), of('prk'));
    const keys = contentKeys(of('ikm'), of('salt'));
    assert.deepEqual(keys, { key: of('cek'), nonce: of('nonce') });
    const plaintext = of('plaintext');
    const body = encryptMessage(
      {
        plaintext,
        paddedBytes: plaintext.length,
        p256dh: of('ua_public'),
        auth: of('auth_secret'),
      },
      { ecdh, publicKey: of('as_public'), salt: of('salt') },
    );
    assert.deepEqual(body, of('body'));
    assert.deepEqual(body.subarray(0, 86), of('header'));
    assert.deepEqual(body.subarray(86), of('ciphertext'));
    assert.equal(body.length, 144);
    const agent = new WebPushUserAgent({ privateKey: of('ua_private'), auth: of('auth_secret') });
    assert.deepEqual(agent.decrypt(of('body')), { plaintext, paddingBytes: 0 });
  });

  it('makes exactly the message of RFC 8188, section 3.1', () => {
    const of = vector('rfc8188_3_1');
    assert.deepEqual(hmac(of('salt'), of('ikm')), of('prk'));
    const keys = contentKeys(of('ikm'), of('salt'));
    assert.deepEqual(keys, { key: of('cek'), nonce: of('nonce') });
    const plaintext = Buffer.from('I am the walrus');
    const keyId = Buffer.alloc(0);
    const [ikm, salt] = [of('ikm'), of('salt')];
    const body = sealMessage({ ikm, salt, keyId, plaintext, paddedBytes: plaintext.length });
    assert.deepEqual(body, of('body'));
    assert.equal(body.length, 53);
    assert.deepEqual(decryptContent(body, ikm).plaintext, plaintext);
  });

  it('derives the keys of RFC 8188, section 3.2, whose message has two records', () => {
    const of = vector('rfc8188_3_2');
    const { salt, recordBytes, keyId, records } = parseContent(of('body'));
    assert.deepEqual([recordBytes, keyId.toString(), records.length], [25, 'a1', 2]);
    assert.deepEqual(hmac(salt, of('ikm')), of('prk_computed'));
    const keys = contentKeys(of('ikm'), salt);
    assert.deepEqual(keys, { key: of('cek_computed'), nonce: of('nonce0_computed') });
    const { plaintext } = decryptContent(of('body'), of('ikm'));
    assert.equal(plaintext.toString(), 'I am the walrus');
  });

  it('is read by the subscription it is for, whatever the length, in one record', () => {
    const agent = new WebPushUserAgent();
    const p256dh = Buffer.from(agent.keys.p256dh, 'base64url');
    for (const length of [0, 1, 255, 256, 257, 2641, 2642, WEB_PUSH_PAYLOAD_BYTES]) {
      const plaintext = randomBytes(length);
      const paddedBytes = paddedBytesOf(length);
      const body = encryptOnce({ plaintext, paddedBytes, p256dh, auth: agent.auth });
      assert.ok(body !== null);
      assert.ok(body.length <= 4096);
      const { recordBytes, records } = parseContent(body);
      assert.deepEqual([recordBytes, records.length], [4096, 1]);
      assert.deepEqual(agent.decrypt(body), { plaintext, paddingBytes: paddedBytes - length });
      assert.throws(() => new WebPushUserAgent().decrypt(body));
    }
    assert.equal(WEB_PUSH_PAYLOAD_BYTES, 3993);
  });

  it('hides lengths in a few sizes, and goes beyond 2744 bytes only where it has to', () => {
    const sizes = new Set(Array.from({ length: 3994 }, (_, length) => paddedBytesOf(length) + 103));
    assert.deepEqual([...sizes], [359, 615, 1127, 2151, 2744, 4096]);
  });

  it('has a key pair and a salt of its own for each message', () => {
    const agent = new WebPushUserAgent();
    const p256dh = Buffer.from(agent.keys.p256dh, 'base64url');
    const plaintext = Buffer.from('the same');
    const bodies = Array.from({ length: 50 }, () =>
      encryptOnce({ plaintext, paddedBytes: 256, p256dh, auth: agent.auth }),
    );
    const contents = bodies.map((body) => parseContent(body ?? Buffer.alloc(0)));
    assert.equal(countDifferent(contents.map(({ salt }) => salt)), 50);
    assert.equal(countDifferent(contents.map(({ keyId }) => keyId)), 50);
  });

  it('refuses keys that are no points of the curve', () => {
    const off = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)]);
    const compressed = Buffer.from(new WebPushUserAgent().keys.p256dh, 'base64url').fill(2, 0, 1);
    for (const point of [off, compressed]) {
      assert.equal(readPublicKey(point.toString('base64url')), null);
    }
    const message = { plaintext: Buffer.from('x'), paddedBytes: 256, auth: randomBytes(16) };
    assert.equal(encryptOnce({ ...message, p256dh: off }), null);
  });

  it('takes keys in either alphabet, padded or not', () => {
    const { p256dh, auth } = new WebPushUserAgent().keys;
    const [point, secret] = [Buffer.from(p256dh, 'base64url'), Buffer.from(auth, 'base64url')];
    const standard = point.toString('base64');
    const spellings = [p256dh, `${p256dh}=`, standard, standard.replace(/=+$/, '')];
    for (const text of spellings) assert.deepEqual(readPublicKey(text), point, text);
    const others = [auth, `${auth}==`, secret.toString('base64')];
    for (const text of others) assert.deepEqual(readAuthSecret(text), secret, text);
    for (const text of ['', 'a', `${auth}\n`, `${auth}!`, p256dh]) {
      assert.equal(readAuthSecret(text), null, text);
    }
  });
});

describe('a VAPID token', () => {
  for (const name of ['rfc8292_2_4', 'autopush_docs_vapid']) {
    it(`has the form of ${name}, whose signature we would accept`, () => {
      const given = vectors[name];
      assert.ok(given !== undefined);
      const { jwt = '', k = '' } = given;
      const [header = '', claims = '', signature = ''] = jwt.split('.');
      assert.ok(isSignedBy(k, `${header}.${claims}`, signature));
      const keys = makeVapidKeys();
      const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
        aud: string;
        exp: number;
        sub: string;
      };
      const { signingKey } = requireWebPushSettings(keys);
      const expiresAt = new Date(exp * 1000);
      const own = signVapidToken(signingKey, { audience: aud, expiresAt, subject: sub });
      const [ownHeader, ownClaims, ownSignature = ''] = own.split('.');
      assert.deepEqual([ownHeader, ownClaims], [header, claims]);
      assert.ok(isSignedBy(keys.publicKey, `${header}.${claims}`, ownSignature));
      assert.equal(Buffer.from(ownSignature, 'base64url').length, 64);
    });
  }

  it('is for one origin, is good for 12 hours, and is kept for 6', () => {
    let now = 1_795_000_000_000;
    const clock = (): Date => new Date(now);
    const keys = makeVapidKeys();
    const settings = requireWebPushSettings(keys);
    const mozilla = new VapidToken(settings, 'https://updates.push.services.mozilla.com', clock);
    const apple = new VapidToken(settings, 'https://web.push.apple.com', clock);
    const first = mozilla.authorization();
    assert.match(first, /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/);
    assert.equal(first.split('k=')[1], keys.publicKey);
    assert.deepEqual(claimsOf(first), {
      aud: 'https://updates.push.services.mozilla.com',
      exp: 1_795_000_000 + 12 * 3600,
      sub: keys.subject,
    });
    assert.equal(claimsOf(apple.authorization())['aud'], 'https://web.push.apple.com');
    now += 6 * 3_600_000;
    assert.equal(mozilla.authorization(), first);
    now += 1;
    assert.notEqual(mozilla.authorization(), first);
  });
});

describe('the settings of Web Push', () => {
  it('are what tools for VAPID print, or a PEM', () => {
    const keys = makeVapidKeys();
    const settings = requireWebPushSettings(keys);
    assert.equal(settings.publicKey, keys.publicKey);
    const pem = settings.signingKey.export({ type: 'pkcs8', format: 'pem' });
    const { subject } = keys;
    const ofPem = requireWebPushSettings({ subject, privateKey: String(pem) });
    assert.equal(ofPem.publicKey, keys.publicKey);
    assert.ok(ofPem.signingKey.equals(settings.signingKey));
  });

  it('are refused by field, without repeating a value', () => {
    const keys = makeVapidKeys();
    const other = makeVapidKeys();
    const rows: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ ...keys, subject: 'mailto:push@localhost' }, 'subject'],
      [{ ...keys, subject: 'push@example.com' }, 'subject'],
      [{ ...keys, subject: 'http://example.com' }, 'subject'],
      [{ ...keys, subject: undefined }, 'subject'],
      [{ ...keys, publicKey: other.publicKey }, 'publicKey'],
      [{ ...keys, publicKey: 'BA' }, 'publicKey'],
      [{ ...keys, privateKey: 'short' }, 'privateKey'],
      [{ ...keys, privateKey: Buffer.alloc(32).toString('base64url') }, 'privateKey'],
      [{ ...keys, privateKey: undefined }, 'privateKey'],
      [{ ...keys, gcmApiKey: 'x' }, 'gcmApiKey'],
    ];
    for (const [input, field] of rows) {
      const parsed = parseWebPushSettings(input);
      assert.ok(parsed.kind === 'problems', field);
      assert.deepEqual(
        parsed.problems.map((problem) => problem.field),
        [field],
      );
      assert.ok(!JSON.stringify(parsed).includes(keys.privateKey));
    }
  });
});

function claimsOf(authorization: string): Readonly<Record<string, unknown>> {
  const claims = authorization.split('.')[1] ?? '';
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
}

function isSignedBy(publicKey: string, signed: string, signature: string): boolean {
  const point = Buffer.from(publicKey, 'base64url');
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}
