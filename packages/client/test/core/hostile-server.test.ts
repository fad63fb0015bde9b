import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Disk } from '../../../../test/client/disk.ts';
import { PhoneSystem } from '../../../../test/client/phone-system.ts';
import { VirtualTime } from '../../../../test/client/virtual-time.ts';
import { createPushClient } from '../../src/core/create-push-client.ts';
import type { ClientAnswer, Ports } from '../../src/core/ports.ts';

/** Answers that a client may get from whatever stands at the other end. */
const answers = fc.oneof(
  fc.constant(null),
  fc.record({
    status: fc.oneof(
      fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503),
      fc.integer({ min: 0, max: 999 }),
    ),
    headers: fc.dictionary(
      fc.constantFrom('retry-after', 'homing-seq'),
      fc.oneof(fc.nat().map(String), fc.string(), fc.constant('99999999999999999999')),
    ),
    body: fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record(
          {
            code: fc.constantFrom(
              'assertion_invalid',
              'invalid_credentials',
              'token_held',
              'installation_forked',
              'installation_removed',
              'validation_failed',
              '__proto__',
            ),
            credential: fc.constant('installation_secret'),
            nonce: fc.string(),
            challenge: fc.constantFrom('sent', 'waiting'),
            applied: fc.oneof(fc.boolean(), fc.record({ user: fc.boolean() })),
            reason: fc.oneof(
              fc.constant({}),
              fc.record({ user: fc.constant('superseded') }),
              fc.record({ token: fc.constant('moved') }),
            ),
            seq: fc.oneof(fc.double(), fc.maxSafeInteger(), fc.record({ user: fc.nat() })),
            refused_users: fc.oneof(fc.jsonValue(), fc.array(fc.constantFrom('anna', 'ben'))),
            installation: fc.oneof(
              fc.jsonValue(),
              fc.record({ user: fc.constantFrom(null, { id: 'anna' }, { id: 'mallory' }) }),
              fc.record({ users: fc.array(fc.record({ id: fc.constantFrom('anna', 'ben') })) }),
            ),
            stored: fc.nat(),
          },
          { requiredKeys: [] },
        )
        .map((body) => JSON.stringify(body)),
    ),
  }),
);
type HostileAnswer = typeof answers extends fc.Arbitrary<infer T> ? T : never;

const WISHES = ['login', 'switch', 'logout', 'tags', 'topic', 'push', 'wake', 'refresh'] as const;

/** A minute may bring what the allowance holds and what it gains meanwhile, and not more. */
const REQUESTS_IN_A_MINUTE = 20 + 30 + 1;
const MINUTE_MS = 60_000;
const RUNS = 300;
const ANSWERS = 40;

test('whatever a server answers, the client waits between its requests', async (t) => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(answers, { minLength: ANSWERS, maxLength: ANSWERS }),
      fc.array(fc.constantFrom(...WISHES), { maxLength: 12 }),
      fc.constantFrom('one', 'several'),
      async (script, wishes, accounts) => {
        answered += await play(script, wishes, accounts);
      },
    ),
    { numRuns: RUNS },
  );
  t.diagnostic(`${answered} answers`);
  assert.ok(answered >= 10_000, `${answered}`);
});

async function play(
  script: readonly HostileAnswer[],
  wishes: readonly (typeof WISHES)[number][],
  accounts: 'one' | 'several',
): Promise<number> {
  const time = new VirtualTime(1_800_000_000_000);
  const system = new PhoneSystem({ provider: 'fcm', value: 'token-0' });
  const sentAt: number[] = [];
  const transport: Ports['transport'] = async () => {
    sentAt.push(time.now());
    return toAnswer(script[sentAt.length % script.length] ?? null);
  };
  const disk = new Disk();
  await using client = createPushClient(
    { key: 'hmg_pk_test', sdkVersion: '0.1.0', accounts },
    {
      platform: system,
      store: disk.open(() => true),
      transport,
      time,
      cryptography: {
        randomBytes: (count) => randomBytes(count),
        sha256: async (bytes) => hash('sha256', bytes, 'buffer'),
      },
      exclusive: disk.exclusive,
    },
  );
  const rest = (): Promise<void> => client.settled();
  await client.start();
  for (const [index, wish] of [...wishes.entries(), [0, 'login'] as const]) {
    if (wish === 'login')
      await client.login('anna', { assertion: async (id) => `proof for ${id}` });
    if (wish === 'switch') await client.login('ben', { signature: 'f00d' });
    if (wish === 'logout') await client.logout();
    if (wish === 'tags') await client.setTags({ index: String(index) });
    if (wish === 'topic') await client.subscribeTopic(`topic-${index}`);
    if (wish === 'push') await client.displayed({ id: `ntf_${index}` });
    if (wish === 'wake') client.wake();
    if (wish === 'refresh') system.refresh({ provider: 'fcm', value: `token-${index + 1}` });
    await time.advance(index % 3 === 0 ? MINUTE_MS : 0, rest);
  }
  // So many answers that the next ones are the same again.
  for (let hours = 0; sentAt.length < script.length + 5 && hours < 12; hours += 1) {
    await time.advance(60 * MINUTE_MS, rest);
  }
  assertPaced(sentAt);
  await client.status();
  return sentAt.length;
}

function toAnswer(answer: HostileAnswer): ClientAnswer | null {
  if (answer === null) return null;
  const { status, headers, body } = answer;
  return { status, header: (name) => headers[name] ?? null, body };
}

function assertPaced(sentAt: readonly number[]): void {
  for (const [index, at] of sentAt.entries()) {
    const later = sentAt[index + REQUESTS_IN_A_MINUTE];
    assert.ok(later === undefined || later - at >= MINUTE_MS, `hot at request ${index}`);
  }
}
