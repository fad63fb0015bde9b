import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createApnsKey, createCertificateAuthority } from '../src/index.ts';
import {
  TOPIC,
  assertRefused,
  authority,
  connectTo,
  key,
  manualClock,
  providerToken,
  push,
  startApns,
} from './apns-client.ts';
import type { TokenDraft } from './apns-client.ts';

const HOUR_SECONDS = 3600;
const MINUTE_MS = 60_000;

function bearer(draft?: TokenDraft) {
  return { authorization: `bearer ${providerToken(draft)}` };
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

const stranger = createApnsKey();

const REFUSED_TOKENS: readonly (readonly [string, Record<string, string>, string])[] = [
  ['text that is no JWT', { authorization: 'bearer hello' }, 'InvalidProviderToken'],
  ['another scheme', { authorization: `basic ${providerToken()}` }, 'InvalidProviderToken'],
  ['an unknown key', bearer({ signer: stranger }), 'InvalidProviderToken'],
  ["another team's name", bearer({ claims: { iss: 'TEAMTEAM22' } }), 'InvalidProviderToken'],
  ['another algorithm', bearer({ header: { alg: 'HS256' } }), 'InvalidProviderToken'],
  [
    "another key's signature",
    bearer({ signer: { ...stranger, keyId: key.keyId, teamId: key.teamId } }),
    'InvalidProviderToken',
  ],
  ['an iat that is text', bearer({ claims: { iat: String(now()) } }), 'InvalidProviderToken'],
  ['an iat in the future', bearer({ claims: { iat: now() + 600 } }), 'InvalidProviderToken'],
  [
    'an iat older than an hour',
    bearer({ claims: { iat: now() - HOUR_SECONDS - 5 } }),
    'ExpiredProviderToken',
  ],
];

describe('authentication by provider token', () => {
  for (const [what, headers, reason] of REFUSED_TOKENS) {
    it(`refuses ${what} with 403 ${reason}`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      assertRefused(await push(client, headers), 403, reason);
    });
  }

  it('takes signatures in the raw form and in DER', async () => {
    for (const encoding of ['ieee-p1363', 'der'] as const) {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      assert.equal((await push(client, bearer({ encoding }))).status, 200);
    }
  });

  it('refuses a second token within 20 minutes, keeps the first, and takes one after', async () => {
    const clock = manualClock();
    await using simulator = await startApns({ clock: clock.read });
    await using client = await connectTo(simulator);
    const first = bearer();
    assert.equal((await push(client, first)).status, 200);
    clock.advance(19 * MINUTE_MS);
    assertRefused(await push(client, bearer()), 429, 'TooManyProviderTokenUpdates');
    assert.equal((await push(client, first)).status, 200);
    clock.advance(2 * MINUTE_MS);
    assert.equal((await push(client, bearer())).status, 200);
  });

  it('lets another connection bring another token at any time', async () => {
    await using simulator = await startApns();
    await using first = await connectTo(simulator);
    await using second = await connectTo(simulator);
    assert.equal((await push(first, bearer())).status, 200);
    assert.equal((await push(second, bearer())).status, 200);
  });

  it('binds a connection to the team and the key of its first push', async () => {
    const sibling = createApnsKey(key.teamId);
    await using simulator = await startApns({ keys: [key, sibling, stranger] });
    await using client = await connectTo(simulator);
    assert.equal((await push(client, bearer())).status, 200);
    assertRefused(await push(client, bearer({ signer: sibling })), 403, 'UnrelatedKeyIdInToken');
    assertRefused(await push(client, bearer({ signer: stranger })), 403, 'InvalidProviderToken');
  });

  it('keeps refusing a connection that has sent an expired token, until it reconnects', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const expired = bearer({ claims: { iat: now() - 2 * HOUR_SECONDS } });
    assertRefused(await push(client, expired), 403, 'ExpiredProviderToken');
    assertRefused(await push(client, bearer()), 403, 'ExpiredProviderToken');
    await using again = await connectTo(simulator);
    assert.equal((await push(again, bearer())).status, 200);
  });

  it('recovers on the same connection when the wedge is switched off', async () => {
    await using simulator = await startApns({ knobs: { wedgesAfterExpiredToken: false } });
    await using client = await connectTo(simulator);
    const expired = bearer({ claims: { iat: now() - 2 * HOUR_SECONDS } });
    assertRefused(await push(client, expired), 403, 'ExpiredProviderToken');
    assert.equal((await push(client, bearer())).status, 200);
  });

  it('refuses a key that was made for the other environment', async () => {
    await using simulator = await startApns({ keys: [{ ...key, environment: 'sandbox' }] });
    await using client = await connectTo(simulator);
    assertRefused(await push(client), 403, 'BadEnvironmentKeyInToken');
  });

  it("refuses a topic-specific key for the team's other topics", async () => {
    const topics = ['com.example.other'];
    await using simulator = await startApns({ keys: [{ ...key, topics }] });
    await using client = await connectTo(simulator);
    assertRefused(await push(client), 400, 'TopicDisallowed');
    assert.equal((await push(client, { 'apns-topic': topics[0] })).status, 200);
  });
});

describe('authentication by certificate', () => {
  const clientCa = authority.certificatePem;
  const production = ['production'] as const;

  it('allows all streams at once, and needs neither a provider token nor a topic', async () => {
    await using simulator = await startApns({ clientCa });
    const identity = await authority.issueApnsClient({ topics: [TOPIC], environments: production });
    await using client = await connectTo(simulator, identity);
    if (client.streamLimits.at(-1) === 1) await client.nextSettings();
    assert.equal(client.streamLimits.at(-1), 1000);
    const reply = await push(client, { authorization: undefined, 'apns-topic': undefined });
    assert.equal(reply.status, 200);
  });

  it('needs a topic when the certificate has several, and takes only those', async () => {
    await using simulator = await startApns({ clientCa });
    const topics = [TOPIC, `${TOPIC}.voip`];
    const identity = await authority.issueApnsClient({ topics, environments: production });
    await using client = await connectTo(simulator, identity);
    assertRefused(await push(client, { 'apns-topic': undefined }), 400, 'MissingTopic');
    assertRefused(await push(client, { 'apns-topic': 'com.example.x' }), 400, 'TopicDisallowed');
    const voip = { 'apns-push-type': 'voip', 'apns-topic': `${TOPIC}.voip` };
    assert.equal((await push(client, voip)).status, 200);
  });

  it('refuses a certificate of another authority with 403 BadCertificate', async () => {
    await using simulator = await startApns({ clientCa });
    const other = await createCertificateAuthority();
    const identity = await other.issueApnsClient({ topics: [TOPIC], environments: production });
    await using client = await connectTo(simulator, identity);
    assertRefused(await push(client), 403, 'BadCertificate');
  });

  it('refuses a certificate of the other environment', async () => {
    await using simulator = await startApns({ clientCa });
    const environments = ['sandbox'] as const;
    const identity = await authority.issueApnsClient({ topics: [TOPIC], environments });
    await using client = await connectTo(simulator, identity);
    assertRefused(await push(client), 403, 'BadCertificateEnvironment');
  });

  it('falls back to provider tokens for a client that shows no certificate', async () => {
    await using simulator = await startApns({ clientCa });
    await using client = await connectTo(simulator);
    assert.equal((await push(client)).status, 200);
  });
});
