import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createServiceAccount, FCM_SENTINELS, FCM_TOKEN_PATH } from '@homing/simulators';
import { NO_OVERRIDES } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf, type Provider, type SendOptions } from '../../src/providers/provider.ts';
import { startFcmNetwork } from './fcm-network.ts';
import type { FcmNetwork } from './fcm-network.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { fcmPushTo, makeFcmPush, makeMessage, PROJECT, soon } from './pushes.ts';

const MINUTE_MS = 60_000;

async function sendOne(provider: Provider, push: Push, options?: SendOptions): Promise<Outcome> {
  const [outcome, ...others] = await outcomesOf(provider, [push], options ?? soon());
  assert(outcome !== undefined && others.length === 0);
  return outcome;
}

function prepare(provider: Provider): Promise<Outcome | null> {
  return provider.prepare(new AbortController().signal);
}

function tokenWith(name: string): string {
  return `sim-${name}:${'x'.repeat(140)}`;
}

function kindsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** How often the token endpoint was asked. */
function tokenRequests({ simulator }: FcmNetwork): number {
  return simulator.journal.entries().filter(({ path }) => path === FCM_TOKEN_PATH).length;
}

describe('the FCM provider', () => {
  it('has a push accepted under the name that FCM gave it', async () => {
    await using network = await startFcmNetwork();
    assert.equal(await prepare(network.provider), null);
    const outcome = await sendOne(network.provider, makeFcmPush());
    assert(outcome.kind === 'accepted');
    assert.match(outcome.providerId, new RegExp(`^projects/${PROJECT}/messages/`));
  });

  it('has every shape of message taken by the strict parser', async () => {
    await using network = await startFcmNetwork();
    const message = makeMessage({
      url: 'https://example.com/1',
      image: 'https://example.com/1.png',
      data: { parcel: '1' },
      actions: [{ id: 'track', title: 'Track', url: null }],
      badge: 2,
      sound: 'ding',
      collapseKey: 'parcel-1',
      overrides: {
        ...NO_OVERRIDES,
        fcm: {
          android: { notification: { channel_id: 'parcels' } },
          fcm_options: { analytics_label: 'x' },
        },
      },
    });
    const silent = makeMessage({ silent: true, data: { sync: '1' } });
    const pushes = [
      makeFcmPush({ message, rcpt: 'tag' }),
      makeFcmPush({ message, rcpt: 'tag', drawnBySdk: true }),
      makeFcmPush({ message: silent }),
      makeFcmPush({ message: silent, drawnBySdk: true }),
      makeFcmPush({
        address: {
          provider: 'fcm',
          kind: 'fid',
          project: PROJECT,
          token: 'cAbCdEfGhIjKlMnOpQrStU',
        },
      }),
      makeFcmPush({ expiresAt: new Date(0) }),
      makeFcmPush({ expiresAt: new Date(Date.now() + 365 * 24 * 60 * MINUTE_MS) }),
    ];
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: pushes.length }, JSON.stringify(outcomes));
  });

  it('sends hundreds at once over the streams that FCM announces', async () => {
    await using network = await startFcmNetwork();
    const pushes = Array.from({ length: 250 }, () => makeFcmPush());
    assert.deepEqual(kindsOf(await outcomesOf(network.provider, pushes, soon())), {
      accepted: 250,
    });
    assert.equal(network.simulator.journal.counters.accepted, 250);
  });

  it('fetches a new access token once when FCM refuses the old one, for all under way', async () => {
    await using network = await startFcmNetwork();
    assert.equal((await sendOne(network.provider, makeFcmPush())).kind, 'accepted');
    network.simulator.revokeTokens();
    const pushes = Array.from({ length: 100 }, () => makeFcmPush());
    assert.deepEqual(kindsOf(await outcomesOf(network.provider, pushes, soon())), {
      accepted: 100,
    });
    assert.equal(tokenRequests(network), 2);
  });

  it('says auth when FCM refuses a fresh token too, and does not fetch one per push', async () => {
    await using network = await startFcmNetwork();
    const fault = { kind: 'answer', status: 401, reason: 'UNAUTHENTICATED' } as const;
    network.simulator.faults.schedule({ times: Infinity, fault });
    const expected = {
      kind: 'auth',
      status: 401,
      code: 'UNAUTHENTICATED',
      scope: 'credential',
    };
    for (let attempt = 0; attempt < 5; attempt += 1) {
      assert.deepEqual(await sendOne(network.provider, makeFcmPush()), expected);
    }
    assert.equal(tokenRequests(network), 2);
  });

  it('fetches one access token for all processes and all callers', async () => {
    await using network = await startFcmNetwork();
    const providers = [network.provider, network.connect(), network.connect()];
    const obstacles = await Promise.all([...providers, ...providers].map(prepare));
    assert.deepEqual(new Set(obstacles), new Set([null]));
    assert.equal(tokenRequests(network), 1);
  });

  it('renews five minutes early and keeps the old token while that fails', async () => {
    await using network = await startFcmNetwork();
    await prepare(network.provider);
    network.clock.advance(54 * MINUTE_MS);
    await prepare(network.provider);
    assert.equal(tokenRequests(network), 1);

    network.simulator.faults.schedule({
      times: Infinity,
      match: { path: FCM_TOKEN_PATH },
      fault: { kind: 'answer', status: 503, reason: 'internal_failure' },
    });
    network.clock.advance(2 * MINUTE_MS);
    assert.equal((await sendOne(network.provider, makeFcmPush())).kind, 'accepted');
    assert.equal((await sendOne(network.provider, makeFcmPush())).kind, 'accepted');
    assert.equal(tokenRequests(network), 2);

    network.clock.advance(10 * MINUTE_MS);
    assert.equal((await prepare(network.provider))?.kind, 'transient');
    network.simulator.faults.clear();
    assert.equal((await sendOne(network.provider, makeFcmPush())).kind, 'accepted');
  });

  it('says auth when Google does not know the account', async () => {
    await using network = await startFcmNetwork();
    const stranger = await createServiceAccount(PROJECT, network.simulator.tokenUrl);
    const provider = network.connect({ keyFile: stranger.json, tokens: new MemoryTokenStore() });
    const expected = { kind: 'auth', status: 400, code: 'invalid_grant', scope: 'credential' };
    assert.deepEqual(await prepare(provider), expected);
    assert.deepEqual(await sendOne(provider, makeFcmPush()), expected);
  });

  it('waits with its work when the token endpoint is down, slow to refuse or in trouble', async () => {
    await using network = await startFcmNetwork();
    const token = 'https://127.0.0.1:1/token';
    const provider = network.connect({ endpoints: { token }, tokens: new MemoryTokenStore() });
    const expected = { kind: 'transient', status: null, retryAfterMs: null } as const;
    const code = 'token_endpoint_unreachable';
    assert.deepEqual(await prepare(provider), { ...expected, code });
    assert.deepEqual(await sendOne(provider, makeFcmPush()), { ...expected, code });

    const match = { path: FCM_TOKEN_PATH };
    const faults = [
      { kind: 'answer', status: 429, reason: 'rate_limited', retryAfterSeconds: 7 },
      { kind: 'answer', status: 502, reason: '(html)' },
      { kind: 'reset' },
    ] as const;
    for (const fault of faults) network.simulator.faults.schedule({ times: 1, match, fault });
    const throttled = await prepare(network.provider);
    assert(throttled?.kind === 'transient');
    assert.equal(throttled.retryAfterMs, 7000);
    assert.equal((await prepare(network.provider))?.kind, 'transient');
    assert.equal((await prepare(network.provider))?.kind, 'transient');
    assert.equal(await prepare(network.provider), null);
  });

  it('waits for a slow token endpoint only as long as its caller does', async () => {
    await using network = await startFcmNetwork();
    using hold = network.simulator.faults.hold({ path: FCM_TOKEN_PATH });
    const cancel = new AbortController();
    const obstacle = network.provider.prepare(cancel.signal);
    await hold.arrived();
    cancel.abort();
    assert.equal((await obstacle)?.kind, 'transient');
    hold.release();
    assert.equal(await prepare(network.provider), null);
    assert.equal(tokenRequests(network), 1);
  });

  it('waits with its work when nobody listens', async () => {
    await using network = await startFcmNetwork();
    const provider = network.connect({ endpoints: { api: 'https://127.0.0.1:1' } });
    assert.deepEqual(await sendOne(provider, makeFcmPush()), {
      kind: 'transient',
      code: 'connect_failed:ECONNREFUSED',
      status: null,
      retryAfterMs: null,
    });
  });

  it('does not offer a token of another project', async () => {
    await using network = await startFcmNetwork();
    const address = { provider: 'fcm', kind: 'token', project: 'other-project' } as const;
    const push = makeFcmPush({ address: { ...address, token: 'x'.repeat(100) } });
    assert.deepEqual(await sendOne(network.provider, push), {
      kind: 'token_mismatch',
      code: 'project_not_configured',
      status: null,
    });
  });

  it('does not take a wrong project for dead tokens', async () => {
    await using network = await startFcmNetwork();
    const project = 'no-such-project';
    const keyFile = { ...network.keyFile, project_id: project };
    const provider = network.connect({ keyFile, tokens: new MemoryTokenStore() });
    const address = { provider: 'fcm', kind: 'token', project, token: 'x'.repeat(100) } as const;
    const outcome = await sendOne(provider, makeFcmPush({ address }));
    assert.match(outcome.kind, /^(unclassified|auth)$/);
  });
});

/** What every sentinel of the simulator comes to, so that none goes untested. */
const SENTINEL_OUTCOMES: Readonly<Record<string, readonly [kind: string, code: string | null]>> = {
  unregistered: ['token_dead', 'UNREGISTERED'],
  'ios-disabled': ['token_dead', 'INVALID_ARGUMENT:ApnsError410'],
  'sender-mismatch': ['token_mismatch', 'SENDER_ID_MISMATCH'],
  'bad-token': ['token_dead', 'INVALID_ARGUMENT:token'],
  'bad-token-field': ['token_dead', 'INVALID_ARGUMENT:token'],
  quota: ['throttled', 'QUOTA_EXCEEDED'],
  'quota-bare': ['throttled', 'QUOTA_EXCEEDED'],
  unavailable: ['transient', 'UNAVAILABLE'],
  'unavailable-later': ['transient', 'UNAVAILABLE'],
  'unavailable-once': ['transient', 'UNAVAILABLE'],
  internal: ['transient', 'INTERNAL'],
  'bad-gateway': ['transient', '(html)'],
  'third-party-auth': ['auth', 'THIRD_PARTY_AUTH_ERROR'],
  // Once is healed: with another access token the push is taken.
  'unauthenticated-once': ['accepted', null],
  'slow-1': ['unknown', 'TIMEOUT'],
  'slow-15': ['unknown', 'TIMEOUT'],
  silent: ['unknown', 'TIMEOUT'],
  'reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-unavailable-once': ['transient', 'UNAVAILABLE'],
  'refused-once': ['accepted', null],
  'goaway-once': ['accepted', null],
};

describe('a sentinel token of the FCM simulator', () => {
  it('is known to this test, each of them', () => {
    const prefixes = FCM_SENTINELS.map(({ prefix }) => prefix).toSorted();
    const known = Object.keys(SENTINEL_OUTCOMES).map((name) => `sim-${name}:`);
    assert.deepEqual(prefixes, known.toSorted());
  });

  for (const [name, [kind, code]] of Object.entries(SENTINEL_OUTCOMES)) {
    it(`${name} comes to ${kind} ${code ?? ''}`, async () => {
      await using network = await startFcmNetwork({ answerTimeoutMs: 300 });
      const outcome = await sendOne(network.provider, fcmPushTo(tokenWith(name)));
      assert.equal(outcome.kind, kind);
      assert.equal('code' in outcome ? outcome.code : null, code);
      if (outcome.kind === 'throttled') {
        assert.equal(outcome.retryAfterMs, name === 'quota' ? 30_000 : null);
      }
    });
  }
});
