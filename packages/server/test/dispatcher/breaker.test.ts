import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  admission,
  asked,
  CLOSED,
  learned,
  type BreakerEvent,
  type BreakerState,
} from '../../src/dispatcher/breaker.ts';

const NOW = 1_000_000;
const ANSWER = { kind: 'answer' } as const;
const FAILURE = { kind: 'failure' } as const;
const UNASKED = { kind: 'unasked' } as const;
const fault = (pauseMs: number | null = null) => ({ kind: 'fault', pauseMs }) as const;

/** Without jitter: the longest of our own pauses, and told ones to the millisecond. */
const most = (): number => 1;
const exact = (): number => 0;

function after(events: readonly BreakerEvent[], from: BreakerState = CLOSED, now = NOW) {
  return events.reduce((state, event) => learned(state, event, now, most), from);
}

function repeat(event: BreakerEvent, count: number): readonly BreakerEvent[] {
  return Array.from({ length: count }, () => event);
}

test('every event in every state leads where the table says', () => {
  const open = { kind: 'open', until: NOW + 5_000, trips: 3 } as const;
  const due = { kind: 'open', until: NOW, trips: 3 } as const;
  const halfOpen = { kind: 'half_open', askedUntil: NOW + 5_000, trips: 3 } as const;
  const counting = { kind: 'closed', windowUntil: NOW + 5_000, answers: 4, failures: 2 } as const;
  const table: readonly (readonly [BreakerState, BreakerEvent, BreakerState])[] = [
    [counting, ANSWER, { ...counting, answers: 5 }],
    [counting, FAILURE, { ...counting, answers: 5, failures: 3 }],
    [counting, UNASKED, counting],
    [counting, fault(), { kind: 'open', until: NOW + 1_000, trips: 1 }],
    [counting, fault(60_000), { kind: 'open', until: NOW + 66_000, trips: 1 }],
    [open, ANSWER, open],
    [open, FAILURE, open],
    [open, UNASKED, open],
    [open, fault(60_000), open],
    [due, ANSWER, due],
    [due, FAILURE, due],
    [due, UNASKED, due],
    [due, fault(), { kind: 'open', until: NOW + 8_000, trips: 4 }],
    [halfOpen, ANSWER, CLOSED],
    [halfOpen, FAILURE, { kind: 'open', until: NOW + 8_000, trips: 4 }],
    [halfOpen, UNASKED, { kind: 'open', until: NOW, trips: 3 }],
    [halfOpen, fault(60_000), { kind: 'open', until: NOW + 66_000, trips: 4 }],
  ];
  for (const [state, event, expected] of table) {
    assert.deepEqual(learned(state, event, NOW, most), expected, `${state.kind}, ${event.kind}`);
  }
});

test('a pause that was asked for is never cut short', () => {
  assert.deepEqual(learned(CLOSED, fault(60_000), NOW, exact), {
    kind: 'open',
    until: NOW + 60_000,
    trips: 1,
  });
});

test('our own pauses grow to half a minute', () => {
  const lengths: number[] = [];
  let state: BreakerState = CLOSED;
  for (let trip = 0; trip < 8; trip += 1) {
    state = learned(asked(state, NOW), fault(), NOW, most);
    assert(state.kind === 'open');
    lengths.push(state.until - NOW);
  }
  assert.deepEqual(lengths, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('half of twenty and more failing opens it, and neither fewer nor a smaller share', () => {
  assert.equal(after(repeat(FAILURE, 19)).kind, 'closed');
  assert.equal(after(repeat(FAILURE, 20)).kind, 'open');
  assert.equal(after([...repeat(ANSWER, 21), ...repeat(FAILURE, 20)]).kind, 'closed');
  assert.equal(after([...repeat(ANSWER, 20), ...repeat(FAILURE, 20)]).kind, 'open');
});

test('failures add up over slow answers, and not for longer than forty seconds', () => {
  const before = after(repeat(FAILURE, 19));
  assert.equal(after([FAILURE], before, NOW + 39_999).kind, 'open');
  assert.deepEqual(after([FAILURE], before, NOW + 40_000), {
    kind: 'closed',
    windowUntil: NOW + 80_000,
    answers: 1,
    failures: 1,
  });
});

test('one push asks when the pause is over, and the others wait for it', () => {
  const open = after([fault()]);
  assert.deepEqual(admission(CLOSED, NOW), { kind: 'pass' });
  assert.deepEqual(admission(open, NOW), { kind: 'wait', until: NOW + 1_000 });
  assert.deepEqual(admission(open, NOW + 1_000), { kind: 'probe' });
  const halfOpen = asked(open, NOW + 1_000);
  assert.deepEqual(admission(halfOpen, NOW + 1_500), { kind: 'wait', until: NOW + 2_500 });
  assert.deepEqual(admission(after([ANSWER], halfOpen), NOW + 1_500), { kind: 'pass' });
  // Whoever asked was never heard of again.
  assert.deepEqual(admission(halfOpen, NOW + 31_000), { kind: 'probe' });
});
