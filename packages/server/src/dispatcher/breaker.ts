import { lanePauseMs } from './backoff.ts';

/**
 * Keeps pushes from what does not take them at the moment: a credential, or one host of it. Times
 * are milliseconds of the application's clock.
 *
 * - `closed`: everything passes, and answers are counted within a window.
 * - `open`: nothing passes until a moment.
 * - `half_open`: one push asks; the others wait for what comes of it.
 */
export type BreakerState =
  | {
      readonly kind: 'closed';
      readonly windowUntil: number;
      readonly answers: number;
      readonly failures: number;
    }
  | { readonly kind: 'open'; readonly until: number; readonly trips: number }
  | { readonly kind: 'half_open'; readonly askedUntil: number; readonly trips: number };

export type BreakerEvent =
  /** It answered, whatever it said. */
  | { readonly kind: 'answer' }
  /** An error of its own, or no answer: many of these open the breaker. */
  | { readonly kind: 'failure' }
  /** Nobody heard of it: whoever was to ask did not. */
  | { readonly kind: 'unasked' }
  /** Out of reach, or it told us to go away, for so long if it said that: opens the breaker. */
  | { readonly kind: 'fault'; readonly pauseMs: number | null };

export type Admission =
  | { readonly kind: 'pass' }
  /** The one push that finds out whether the pause is over. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'wait'; readonly until: number };

/**
 * Failures are counted within this time, and open the breaker when they are half of it all. It is
 * longer than a provider may take to answer (15 s): a few places whose pushes are never answered
 * bring failures only that often, and those have to add up.
 */
const WINDOW_MS = 40_000;
const LEAST_FAILURES = 20;
const FAILURE_SHARE = 0.5;
/** Outlives every provider's deadline for an answer; then somebody else may ask. */
const ASKING_MS = 30_000;
/** Those who wait for an answer to a probe look again after this time. */
const LOOK_AGAIN_MS = 1_000;

/** Nothing is known against it. */
export const CLOSED: BreakerState = { kind: 'closed', windowUntil: 0, answers: 0, failures: 0 };

/** Whether a push may go now. */
export function admission(state: BreakerState, now: number): Admission {
  switch (state.kind) {
    case 'closed':
      return { kind: 'pass' };
    case 'open':
      return state.until <= now ? { kind: 'probe' } : { kind: 'wait', until: state.until };
    case 'half_open':
      if (state.askedUntil <= now) return { kind: 'probe' };
      return { kind: 'wait', until: Math.min(now + LOOK_AGAIN_MS, state.askedUntil) };
  }
}

/** After a push was let through as a probe. */
export function asked(state: BreakerState, now: number): BreakerState {
  const trips = state.kind === 'closed' ? 0 : state.trips;
  return { kind: 'half_open', askedUntil: now + ASKING_MS, trips };
}

/**
 * After something was learned. What comes in during a pause is about pushes from before, and
 * changes nothing: many fail together, and that is one trip.
 */
export function learned(
  state: BreakerState,
  event: BreakerEvent,
  now: number,
  random: () => number,
): BreakerState {
  switch (state.kind) {
    case 'closed':
      if (event.kind === 'unasked') return state;
      if (event.kind === 'fault') return opened(1, event.pauseMs, now, random);
      return counted(state, event, now, random);
    case 'open':
      // After the pause, whatever is needed before a push can ask may fail as well.
      return event.kind === 'fault' && state.until <= now
        ? opened(state.trips + 1, event.pauseMs, now, random)
        : state;
    case 'half_open':
      if (event.kind === 'answer') return CLOSED;
      if (event.kind === 'unasked') return { kind: 'open', until: now, trips: state.trips };
      return opened(state.trips + 1, event.kind === 'fault' ? event.pauseMs : null, now, random);
  }
}

function counted(
  state: Extract<BreakerState, { readonly kind: 'closed' }>,
  event: BreakerEvent,
  now: number,
  random: () => number,
): BreakerState {
  const isOver = state.windowUntil <= now;
  const windowUntil = isOver ? now + WINDOW_MS : state.windowUntil;
  const answers = (isOver ? 0 : state.answers) + 1;
  const failures = (isOver ? 0 : state.failures) + (event.kind === 'failure' ? 1 : 0);
  const isTooMuch = failures >= LEAST_FAILURES && failures >= FAILURE_SHARE * answers;
  return isTooMuch
    ? opened(1, null, now, random)
    : { kind: 'closed', windowUntil, answers, failures };
}

/** A pause that somebody asked for is kept, and a little more, so that workers do not march. */
function opened(
  trips: number,
  pauseMs: number | null,
  now: number,
  random: () => number,
): BreakerState {
  const lengthMs =
    pauseMs === null ? lanePauseMs(trips, random) : Math.round(pauseMs * (1 + random() / 10));
  return { kind: 'open', until: now + lengthMs, trips };
}
