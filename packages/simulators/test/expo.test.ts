import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  call,
  dataOf,
  PROJECT,
  pushToken,
  receipts,
  refusalOf,
  send,
  startExpo,
} from './expo-client.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A clock that a test moves. */
function stillClock() {
  let nowMs = 1_700_000_000_000;
  return { now: () => nowMs, advance: (ms: number) => (nowMs += ms) };
}

function messages(count: number) {
  return Array.from({ length: count }, (_, index) => ({ to: pushToken(`m${index}`), title: 'Hi' }));
}

describe('the Expo simulator, asked to send', () => {
  it('answers with tickets in the order of the recipients, lists of them among these', async () => {
    await using simulator = await startExpo();
    const dead = pushToken('sim-unregistered:1');
    const tickets = await send(simulator, [
      { to: pushToken('a'), title: 'A' },
      { to: [dead, pushToken('b')], body: 'B' },
    ]);
    assert.deepEqual(
      tickets.map(({ status, details }) => [status, details?.error, details?.expoPushToken]),
      [
        ['ok', undefined, undefined],
        ['error', 'DeviceNotRegistered', dead],
        ['ok', undefined, undefined],
      ],
    );
    const accepted = simulator.journal.entries().filter((entry) => entry.accepted);
    assert.deepEqual(
      accepted.map(({ token, providerId }) => [token, providerId]),
      [
        [pushToken('a'), tickets[0]?.id],
        [pushToken('b'), tickets[2]?.id],
      ],
    );
  });

  it('answers a single message with a single ticket', async () => {
    await using simulator = await startExpo();
    const single = await call(simulator, { body: { to: pushToken('a') } });
    assert.equal((dataOf(single) as { status: string }).status, 'ok');
    const listed = await call(simulator, { body: { to: [pushToken('a')] } });
    assert.equal((dataOf(listed) as unknown[]).length, 1);
  });

  it('takes a hundred recipients, and not one more', async () => {
    await using simulator = await startExpo();
    assert.equal((await send(simulator, messages(100))).length, 100);
    const tooMany = await refusalOf(simulator, { body: messages(101) });
    assert.deepEqual([tooMany.status, tooMany.code], [400, 'PUSH_TOO_MANY_NOTIFICATIONS']);
    const many = messages(101).map(({ to }) => to);
    const inOne = await refusalOf(simulator, { body: { to: many } });
    assert.equal(inOne.code, 'PUSH_TOO_MANY_NOTIFICATIONS');
  });

  it('refuses tokens of several projects in one request, and says whose they are', async () => {
    await using simulator = await startExpo();
    const [own, other] = [pushToken('a'), pushToken('sim-other-project:1')];
    const refusal = await refusalOf(simulator, { body: [{ to: own }, { to: other }] });
    assert.deepEqual(refusal, {
      status: 400,
      code: 'PUSH_TOO_MANY_EXPERIENCE_IDS',
      details: { [PROJECT]: [own], '@other/project': [other] },
    });
    assert.equal((await send(simulator, [{ to: other }]))[0]?.status, 'ok');
  });

  it('takes and gives gzip', async () => {
    await using simulator = await startExpo();
    const headers = { 'accept-encoding': 'gzip, deflate' };
    const reply = await call(simulator, { body: messages(50), packed: true, headers });
    assert.equal(reply.encoding, 'gzip');
    assert.equal((dataOf(reply) as unknown[]).length, 50);
    const plain = await call(simulator, { body: messages(1) });
    assert.equal(plain.encoding, null);
  });

  it('refuses whole requests for one wrong field, and unpacks no bombs', async () => {
    await using simulator = await startExpo();
    const to = pushToken('a');
    const wrong = [
      'no json',
      [],
      [{ to, titel: 'Hi' }],
      [{ to, badge: -1 }],
      [{ to, priority: 'urgent' }],
      [{ to }, { title: 'nobody' }],
      [{ to: pushToken('sim-invalid:1') }, { to }],
    ];
    for (const body of wrong) {
      const { status, code } = await refusalOf(simulator, { body });
      assert.deepEqual([status, code], [400, 'VALIDATION_ERROR'], JSON.stringify(body));
    }
    const bomb = await call(simulator, { body: ' '.repeat(5_000_000), packed: true });
    assert.equal(bomb.status, 413);
    assert.equal(simulator.journal.counters.accepted, 0);
  });

  it('says in a ticket what is too big, and what is no token', async () => {
    await using simulator = await startExpo();
    const tickets = await send(simulator, [
      { to: pushToken('a'), data: { text: 'x'.repeat(5000) } },
      { to: 'anything' },
    ]);
    assert.deepEqual(
      tickets.map(({ details }) => details?.error),
      ['MessageTooBig', 'DeviceNotRegistered'],
    );
  });

  it('asks for an access token where the project wants that, and refuses unknown ones', async () => {
    await using simulator = await startExpo({ accessTokens: ['secret'] });
    const body = messages(1);
    const withToken = (token: string) => ({ body, headers: { authorization: `Bearer ${token}` } });
    assert.equal((await call(simulator, { body })).status, 200);
    assert.equal((await refusalOf(simulator, withToken('other'))).code, 'UNAUTHORIZED');
    simulator.knobs.enhancedSecurity = true;
    assert.equal((await refusalOf(simulator, { body })).code, 'UNAUTHORIZED');
    assert.equal((await call(simulator, withToken('secret'))).status, 200);
    const entries = simulator.journal.entries();
    assert(!JSON.stringify(entries).includes('secret'), 'no journal holds a credential');
  });

  it('breaks off in the middle, having taken what stood before', async () => {
    await using simulator = await startExpo();
    const [first, last] = [pushToken('a'), pushToken('b')];
    const breaks = pushToken('sim-breaks:1');
    const body = [{ to: first }, { to: breaks }, { to: last }];
    assert.equal((await refusalOf(simulator, { body })).status, 500);
    assert.deepEqual(
      simulator.journal.entries().map(({ token, accepted }) => [token, accepted]),
      [
        [first, true],
        [breaks, false],
        [last, false],
      ],
    );
  });

  it('commits scheduled faults: 429 with Retry-After, a page of a front end, a reset', async () => {
    await using simulator = await startExpo();
    const fault = { kind: 'answer', status: 429, reason: 'TOO_MANY_REQUESTS' } as const;
    simulator.faults.schedule({ times: 1, fault });
    assert.equal((await refusalOf(simulator, { body: messages(1) })).code, 'TOO_MANY_REQUESTS');
    const page = await call(simulator, { body: [{ to: pushToken('sim-unavailable:1') }] });
    assert.equal(page.status, 503);
    assert.match(page.text, /<h1>/);
    simulator.faults.schedule({ times: 1, fault: { kind: 'accept_then_reset' } });
    await assert.rejects(call(simulator, { body: messages(2) }));
    assert.equal(simulator.journal.counters.accepted, 2);
  });

  it('shows on a device what was accepted, newer in the place of older', async () => {
    await using simulator = await startExpo();
    const to = pushToken('a');
    for (const title of ['one', 'two']) await send(simulator, [{ to, title, tag: 'x' }]);
    const { shown } = simulator.devices.view(to);
    assert.deepEqual(
      shown.map(({ payload }) => (payload as { title: string }).title),
      ['two'],
    );
  });

  it('knows in validating mode only the tokens that it was told about', async () => {
    await using simulator = await startExpo({ mode: 'validating' });
    simulator.devices.set(pushToken('known'), { kind: 'live' });
    const tickets = await send(simulator, [
      { to: pushToken('known') },
      { to: pushToken('unknown') },
    ]);
    assert.deepEqual(
      tickets.map(({ status }) => status),
      ['ok', 'error'],
    );
  });
});

describe('the Expo simulator, asked for receipts', () => {
  it('has them after a while and for a day', async () => {
    const clock = stillClock();
    await using simulator = await startExpo({ clock: clock.now });
    const [ticket] = await send(simulator, messages(1));
    const ids = [ticket?.id ?? ''];
    assert.deepEqual(await receipts(simulator, ids), {});
    clock.advance(simulator.knobs.receiptDelayMs);
    assert.deepEqual(await receipts(simulator, ids), { [ids[0] ?? '']: { status: 'ok' } });
    clock.advance(24 * HOUR_MS);
    assert.deepEqual(await receipts(simulator, ids), {});
  });

  it('says in them what became of pushes that it took', async () => {
    await using simulator = await startExpo({ knobs: { receiptDelayMs: 0 } });
    const to = [pushToken('sim-receipt-mismatch:1'), pushToken('sim-receipt-never:1')];
    const [mismatch, never] = await send(simulator, { to });
    const found = await receipts(simulator, [mismatch?.id ?? '', never?.id ?? '', 'unknown']);
    assert.deepEqual(Object.keys(found), [mismatch?.id]);
    assert.equal(found[mismatch?.id ?? '']?.details?.error, 'MismatchSenderId');
  });

  it('gives a thousand at once, and not one more', async () => {
    await using simulator = await startExpo();
    const ids = Array.from({ length: 1000 }, (_, index) => String(index));
    assert.deepEqual(await receipts(simulator, ids), {});
    const refusal = await refusalOf(simulator, {
      path: '/getReceipts',
      body: { ids: [...ids, 'one more'] },
    });
    assert.deepEqual([refusal.status, refusal.code], [400, 'PUSH_TOO_MANY_RECEIPTS']);
    const malformed = await refusalOf(simulator, { path: '/getReceipts', body: { ids: 'x' } });
    assert.equal(malformed.code, 'VALIDATION_ERROR');
  });

  it('knows no other calls', async () => {
    await using simulator = await startExpo();
    assert.equal((await call(simulator, { path: '/other', body: {} })).status, 404);
  });
});
