import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHmsServiceAccount, HMS_SENTINELS, HMS_TOKEN_PATH } from '@homing/simulators';
import type { Entry } from '@homing/simulators';
import { NO_OVERRIDES } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf, type Provider, type SendOptions } from '../../src/providers/provider.ts';
import { startHmsNetwork, type HmsNetwork } from './hms-network.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { hmsPushTo, makeMessage, soon } from './pushes.ts';

const MINUTE_MS = 60_000;
const EXPIRES_AT = new Date(Date.now() + 60 * MINUTE_MS);

interface SentBody {
  readonly message: { readonly token: readonly string[] };
}

async function sendOne(provider: Provider, push: Push, options?: SendOptions): Promise<Outcome> {
  const [outcome, ...others] = await outcomesOf(provider, [push], options ?? soon());
  assert(outcome !== undefined && others.length === 0);
  return outcome;
}

function prepare(provider: Provider): Promise<Outcome | null> {
  return provider.prepare(new AbortController().signal);
}

function token(name: string): string {
  return `${name}${'x'.repeat(120)}`;
}

function kindsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ kind }) => kind);
}

function entriesOf({ simulator }: HmsNetwork): readonly Entry[] {
  return simulator.journal.entries();
}

/** The pushes of every call that came in, by their tokens. */
function callsOf(network: HmsNetwork): readonly (readonly string[])[] {
  const sends = entriesOf(network).filter(({ path }) => path !== HMS_TOKEN_PATH);
  return sends.map(({ body }) => (body as SentBody).message.token);
}

function tokenRequests(network: HmsNetwork): number {
  return entriesOf(network).filter(({ path }) => path === HMS_TOKEN_PATH).length;
}

/** Pushes of one message that is bound to nobody. */
function alike(count: number): readonly Push[] {
  const message = makeMessage();
  return Array.from({ length: count }, (_, index) =>
    hmsPushTo(token(`alike-${index}-`), { message, expiresAt: EXPIRES_AT }),
  );
}

describe('the HMS provider', () => {
  it('has every shape of message taken by the strict parser, on all versions of the API', async () => {
    await using network = await startHmsNetwork();
    const { app, keyFile } = network;
    network.simulator.knobs.highPriorityGranted = true;
    const { appId, projectId, clientSecret } = app;
    const oauth = { appId, projectId, clientSecret, highPriority: true };
    const account = { serviceAccount: keyFile, kinds: ['android', 'harmony'] };
    const message = makeMessage({
      url: 'https://example.com/1',
      image: 'https://example.com/1.png',
      data: { parcel: '1' },
      actions: [{ id: 'track', title: 'Track', url: null }],
      badge: 2,
      sound: '/raw/ding',
      collapseKey: 'parcel-1',
      overrides: {
        ...NO_OVERRIDES,
        hms: {
          android: { category: 'IM', notification: { channel_id: 'parcels' } },
          payload: { notification: { category: 'IM' } },
          pushOptions: { testMessage: true },
        },
      },
    });
    const silent = makeMessage({ silent: true, data: { sync: '1' } });
    const variants: readonly Partial<Push>[] = [
      { message, rcpt: 'tag' },
      { message, rcpt: 'tag', drawnBySdk: true, collapseScope: 'u1' },
      { message: silent },
      { message: silent, drawnBySdk: true },
      { expiresAt: new Date(0) },
      { expiresAt: new Date(Date.now() + 365 * 24 * 60 * MINUTE_MS) },
    ];
    const routes = [
      [network.provider, 'android', `/v1/${appId}/messages:send`],
      [
        network.connect({ settings: oauth, tokens: new MemoryTokenStore() }),
        'android',
        `/v2/${projectId}/messages:send`,
      ],
      [
        network.connect({ settings: account, tokens: new MemoryTokenStore() }),
        'android',
        `/v2/${projectId}/messages:send`,
      ],
      [
        network.connect({ settings: account, tokens: new MemoryTokenStore() }),
        'harmony',
        `/v3/${projectId}/messages:send`,
      ],
    ] as const;
    for (const [provider, kind, path] of routes) {
      const pushes = variants.map((variant) => hmsPushTo(token('a'), { ...variant, kind }));
      const outcomes = await outcomesOf(provider, pushes, soon());
      const all = kindsOf(outcomes).every((outcome) => outcome === 'accepted');
      assert(all, JSON.stringify(outcomes));
      assert.equal(entriesOf(network).at(-1)?.path, path);
    }
  });

  it('puts into one call what differs in its token alone', async () => {
    await using network = await startHmsNetwork();
    const outcomes = await outcomesOf(network.provider, alike(1_500), soon());
    assert.deepEqual(new Set(kindsOf(outcomes)), new Set(['accepted']));
    const sizes = callsOf(network).map((tokens) => tokens.length);
    assert.deepEqual(sizes, [1_000, 500]);
    assert.equal(new Set(callsOf(network).flat()).size, 1_500);
  });

  it('keeps apart what differs in anything else', async () => {
    await using network = await startHmsNetwork();
    const message = makeMessage({ collapseKey: 'x' });
    const shared = { message, expiresAt: EXPIRES_AT };
    const pushes = [
      hmsPushTo(token('a'), shared),
      hmsPushTo(token('b'), { ...shared, rcpt: 'tag-1' }),
      hmsPushTo(token('c'), { ...shared, rcpt: 'tag-2' }),
      hmsPushTo(token('d'), { ...shared, drawnBySdk: true }),
      hmsPushTo(token('e'), { ...shared, message: makeMessage() }),
      hmsPushTo(token('f'), { ...shared, expiresAt: new Date(EXPIRES_AT.getTime() + 1_000) }),
    ];
    await outcomesOf(network.provider, pushes, soon());
    assert.equal(callsOf(network).length, pushes.length);
  });

  it('takes only the illegal tokens of a partial success for dead, and repeats nobody', async () => {
    await using network = await startHmsNetwork();
    const pushes = alike(5);
    const gone = [1, 3].map((place) => pushes[place]?.address.token ?? '');
    for (const each of gone) network.simulator.devices.set(each, { kind: 'illegal' });
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    const expected = ['accepted', 'token_dead', 'accepted', 'token_dead', 'accepted'];
    assert.deepEqual(kindsOf(outcomes), expected);
    const dead = { kind: 'token_dead', status: 200, code: '80100000', since: null };
    assert.deepEqual(outcomes[1], dead);
    assert.equal(callsOf(network).length, 1);
  });

  it('decides on the code, whatever the status', async () => {
    await using network = await startHmsNetwork();
    const sensitive = { kind: 'answer', status: 503, reason: '80100016' } as const;
    const fine = { kind: 'accept_then_answer', status: 500, reason: '80000000' } as const;
    const nothing = { kind: 'answer', status: 200, reason: '' } as const;
    for (const fault of [sensitive, fine, nothing]) {
      network.simulator.faults.schedule({ times: 1, fault });
    }
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'payload');
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'accepted');
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'unknown');
  });

  it('believes that all tokens are invalid only while others of the same kind are taken', async () => {
    await using network = await startHmsNetwork();
    network.simulator.devices.set(token('gone'), { kind: 'illegal' });
    const gone = hmsPushTo(token('gone'));
    assert.equal((await sendOne(network.provider, gone)).kind, 'token_mismatch');
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'accepted');
    assert.deepEqual(await sendOne(network.provider, gone), {
      kind: 'token_dead',
      status: 200,
      code: '80300007',
      since: null,
    });
    network.clock.advance(11 * MINUTE_MS);
    assert.equal((await sendOne(network.provider, gone)).kind, 'token_mismatch');
  });

  it("stops for another app's token only while nothing says that the credential works", async () => {
    await using network = await startHmsNetwork();
    network.simulator.devices.set(token('foreign'), { kind: 'foreign' });
    const foreign = hmsPushTo(token('foreign'));
    assert.equal((await sendOne(network.provider, foreign)).kind, 'auth');
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'accepted');
    assert.equal((await sendOne(network.provider, foreign)).kind, 'token_mismatch');
  });

  it('does not offer a token of a kind that the credential does not serve', async () => {
    await using network = await startHmsNetwork();
    const push = hmsPushTo(token('a'), { kind: 'harmony' });
    assert.deepEqual(await sendOne(network.provider, push), {
      kind: 'token_mismatch',
      code: 'kind_not_configured',
      status: null,
    });
  });

  it('takes a token that was registered as of the wrong kind for misplaced', async () => {
    await using network = await startHmsNetwork();
    network.simulator.devices.set(token('next'), { kind: 'harmony' });
    const outcome = await sendOne(network.provider, hmsPushTo(token('next')));
    assert.equal(outcome.kind, 'token_mismatch');
  });

  it('fetches one new access token when the old one is refused, for all under way', async () => {
    await using network = await startHmsNetwork();
    assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'accepted');
    network.simulator.revokeTokens();
    const pushes = Array.from({ length: 100 }, (_, index) =>
      hmsPushTo(token(`a${index}`), { rcpt: `tag-${index}` }),
    );
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(new Set(kindsOf(outcomes)), new Set(['accepted']));
    assert.equal(tokenRequests(network), 2);
  });

  it('says auth when a fresh token is refused too, and does not fetch one per push', async () => {
    await using network = await startHmsNetwork();
    for (const reason of ['80200001', '80200003', '80200005']) {
      const fault = { kind: 'answer', status: 200, reason } as const;
      network.simulator.faults.schedule({ times: Infinity, fault });
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const outcome = await sendOne(network.provider, hmsPushTo(token('a')));
        const expected = { kind: 'auth', status: 200, code: reason, scope: 'credential' };
        assert.deepEqual(outcome, expected);
      }
      network.simulator.faults.clear();
    }
    assert.equal(tokenRequests(network), 2);
  });

  it('fetches one access token for all processes and renews it five minutes early', async () => {
    await using network = await startHmsNetwork();
    const providers = [network.provider, network.connect(), network.connect()];
    const obstacles = await Promise.all([...providers, ...providers].map(prepare));
    assert.deepEqual(new Set(obstacles), new Set([null]));
    network.clock.advance(54 * MINUTE_MS);
    assert.equal(await prepare(network.provider), null);
    assert.equal(tokenRequests(network), 1);
    network.clock.advance(2 * MINUTE_MS);
    assert.equal(await prepare(network.provider), null);
    assert.equal(tokenRequests(network), 2);
  });

  it('signs its own token for a service account, and another before the hour is over', async () => {
    await using network = await startHmsNetwork();
    const tokens = new MemoryTokenStore();
    const provider = network.connect({ settings: { serviceAccount: network.keyFile }, tokens });
    const push = hmsPushTo(token('a'), { kind: 'harmony' });
    assert.equal((await sendOne(provider, push)).kind, 'accepted');
    network.clock.advance(56 * MINUTE_MS);
    assert.equal((await sendOne(provider, push)).kind, 'accepted');
    assert.equal(tokens.minted, 2);
    assert.equal(tokenRequests(network), 0);
  });

  it('says auth when Huawei does not know the client, or the account', async () => {
    await using network = await startHmsNetwork();
    const { appId, projectId } = network.app;
    const client = network.connect({
      settings: { appId, clientSecret: 'wrong' },
      tokens: new MemoryTokenStore(),
    });
    const expected = { kind: 'auth', status: 400, code: 'error 1101', scope: 'credential' };
    assert.deepEqual(await prepare(client), expected);
    assert.deepEqual(await sendOne(client, hmsPushTo(token('a'))), expected);
    const stranger = await createHmsServiceAccount(projectId);
    const account = network.connect({
      settings: { serviceAccount: stranger.json },
      tokens: new MemoryTokenStore(),
    });
    const outcome = await sendOne(account, hmsPushTo(token('a'), { kind: 'harmony' }));
    const refused = { kind: 'auth', status: 200, code: '80200001', scope: 'credential' };
    assert.deepEqual(outcome, refused);
  });

  it('waits with its work when nobody listens, and when the token endpoint is in trouble', async () => {
    await using network = await startHmsNetwork();
    const nowhere = network.connect({ api: 'https://127.0.0.1:1' });
    assert.deepEqual(await sendOne(nowhere, hmsPushTo(token('a'))), {
      kind: 'transient',
      code: 'connect_failed:ECONNREFUSED',
      status: null,
      retryAfterMs: null,
    });
    const match = { path: HMS_TOKEN_PATH };
    const busy = { kind: 'answer', status: 429, reason: '', retryAfterSeconds: 7 } as const;
    network.simulator.faults.schedule({ times: 1, match, fault: busy });
    const provider = network.connect({ tokens: new MemoryTokenStore() });
    const expected = { kind: 'transient', status: 429, code: '429', retryAfterMs: 7_000 };
    assert.deepEqual(await prepare(provider), expected);
    assert.equal(await prepare(provider), null);
  });

  it('gives back what waits in line when its time is up or it is called off', async () => {
    await using network = await startHmsNetwork();
    await prepare(network.provider);
    const pushes = Array.from({ length: 70 }, (_, index) =>
      hmsPushTo(token(`a${index}`), { rcpt: `tag-${index}` }),
    );
    const hold = network.simulator.faults.hold();
    const cancel = new AbortController();
    const sent = outcomesOf(network.provider, pushes, soon(cancel.signal));
    // All 64 connections are taken by then, and six pushes wait.
    await hold.arrived(64);
    cancel.abort();
    hold.release();
    const counts = Map.groupBy(await sent, ({ kind }) => kind);
    assert.equal(counts.get('not_started')?.length, 6);
    assert.equal(counts.get('accepted')?.length, 64);
    const late = { ...soon(), startBefore: performance.now() - 1 };
    const outcome = await sendOne(network.provider, hmsPushTo(token('late')), late);
    assert.equal(outcome.kind, 'not_started');
    assert.equal(callsOf(network).length, 64);
  });

  it('uses its connections again', async () => {
    await using network = await startHmsNetwork();
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await sendOne(network.provider, hmsPushTo(token('a')))).kind, 'accepted');
    }
    const sends = entriesOf(network).filter(({ path }) => path !== HMS_TOKEN_PATH);
    // The next push may come before the connection of the last one is free again.
    assert(new Set(sends.map(({ connectionId }) => connectionId)).size <= 2);
  });
});

/** What every sentinel of the simulator comes to, so that none goes untested. */
const SENTINEL_OUTCOMES: Readonly<Record<string, readonly [kind: string, code: string | null]>> = {
  illegal: ['token_mismatch', '80300007'],
  harmony: ['token_mismatch', '80300007'],
  foreign: ['auth', '80300002'],
  sensitive: ['payload', '80100016'],
  'flow-control': ['throttled', '503'],
  'flow-control-later': ['throttled', '503'],
  'flow-control-once': ['throttled', '503'],
  internal: ['transient', '81000001'],
  'bad-gateway': ['transient', '502'],
  'oauth-trouble': ['transient', '80600003'],
  // Once is healed: with another access token the push is taken.
  'token-expired-once': ['accepted', null],
  'slow-1': ['unknown', 'TIMEOUT'],
  'slow-15': ['unknown', 'TIMEOUT'],
  silent: ['unknown', 'TIMEOUT'],
  'reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-internal-once': ['transient', '81000001'],
};

describe('a sentinel token of the HMS simulator', () => {
  it('is known to this test, each of them', () => {
    const prefixes = HMS_SENTINELS.map(({ prefix }) => prefix).toSorted();
    const known = Object.keys(SENTINEL_OUTCOMES).map((name) => `sim-${name}:`);
    assert.deepEqual(prefixes, known.toSorted());
  });

  for (const [name, [kind, code]] of Object.entries(SENTINEL_OUTCOMES)) {
    it(`${name} comes to ${kind} ${code ?? ''}`, async () => {
      await using network = await startHmsNetwork();
      const provider = network.connect({ answerTimeoutMs: 300 });
      const outcome = await sendOne(provider, hmsPushTo(token(`sim-${name}:`)));
      assert.equal(outcome.kind, kind);
      assert.equal('code' in outcome ? outcome.code : null, code);
      if (outcome.kind === 'throttled') {
        assert.equal(outcome.retryAfterMs, name === 'flow-control-later' ? 30_000 : null);
      }
    });
  }
});
