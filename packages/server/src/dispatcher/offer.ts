import assert from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { GatedPush } from './gate-pass.ts';
import type { Lane } from './lane.ts';
import type { DispatcherMetrics } from './metrics.ts';

/** A push that its lane and its host let through. */
export interface AdmittedPush extends GatedPush {
  readonly isProbe: boolean;
}

/** What came of a push that was offered. */
export interface Offered {
  readonly push: AdmittedPush;
  readonly outcome: Exclude<Outcome, { readonly kind: 'not_started' }>;
  readonly sentAt: Date;
}

export interface OfferDependencies {
  readonly clock: Clock;
  readonly metrics: DispatcherMetrics;
  readonly signal: AbortSignal;
}

/** Told of each push as soon as it is answered. */
export interface OfferListener {
  /** So many places on the wire are free; also after a failure, whatever became of the pushes. */
  answered(count: number): void;
  attempted(offered: Offered): void;
  /** The host or the credential cannot be used at the moment; no attempt was made. */
  waits(push: AdmittedPush): void;
  notStarted(push: AdmittedPush): void;
}

/**
 * Offers a slice to the provider, a group of pushes in each turn of the event loop. Resolves when
 * the last answer is in and what the lane learned from it is recorded. What fails with one push
 * keeps none of the others from being heard; then it rejects with the first failure.
 */
export async function offer(
  deps: OfferDependencies,
  lane: Lane,
  slice: { readonly pushes: readonly AdmittedPush[]; readonly gatedAt: number },
  listener: OfferListener,
): Promise<void> {
  const { pushes, gatedAt } = slice;
  // What shares a request costs no turn of its own.
  const size = Math.max(LIMITS.pushesAtOnce, lane.provider.limits.batch ?? 1);
  const started = new Set<string>();
  const failures: unknown[] = [];
  const groups: Promise<void>[] = [];
  for (let from = 0; from < pushes.length; from += size) {
    // Hundreds of requests are built and written in one go otherwise, and all else has to wait.
    if (from > 0) await setImmediate();
    const group = { pushes: pushes.slice(from, from + size), gatedAt };
    // Heeded at once: the next groups are only offered after a turn of the event loop.
    const offered = offerGroup(deps, lane, group, { listener, started, failures });
    groups.push(offered.catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(groups);
  await lane.recorded();
  if (failures.length > 0) throw failures[0];
  for (const host of new Set(pushes.map((push) => push.host))) {
    if (!started.has(host)) lane.stalled(host, gatedAt, deps.clock());
  }
}

/** What has come of a slice so far, over all its groups. */
interface SliceSoFar {
  readonly listener: OfferListener;
  /** Hosts that got something. */
  readonly started: Set<string>;
  readonly failures: unknown[];
}

async function offerGroup(
  deps: OfferDependencies,
  lane: Lane,
  group: { readonly pushes: readonly AdmittedPush[]; readonly gatedAt: number },
  soFar: SliceSoFar,
): Promise<void> {
  const sentAt = deps.clock();
  const startBefore = group.gatedAt + LIMITS.gateFreshMs;
  const pushes = group.pushes.map(({ push }) => push);
  const unheard = new Set(group.pushes);
  const hear = (place: number, outcome: Outcome): void => {
    const push = group.pushes[place];
    assert(push !== undefined && unheard.delete(push), 'each push is heard of once');
    try {
      passOn(deps, lane, { push, outcome, sentAt }, soFar);
    } catch (error) {
      soFar.failures.push(error);
    }
  };
  try {
    await lane.provider.send(pushes, { startBefore, signal: deps.signal }, hear);
    assert(unheard.size === 0, 'a provider answers for each push');
  } finally {
    if (unheard.size > 0) soFar.listener.answered(unheard.size);
  }
}

/** Passes on what came of a push, and has the lane learn from it. */
function passOn(
  { clock, metrics }: OfferDependencies,
  lane: Lane,
  { push, outcome, sentAt }: { push: AdmittedPush; outcome: Outcome; sentAt: Date },
  { listener, started }: SliceSoFar,
): void {
  const { host, isProbe } = push;
  const isStarted = outcome.kind !== 'not_started';
  try {
    metrics.outcome(lane.name, outcome.kind);
    const isAttempt = lane.heed({ outcome, host, isProbe, now: clock() });
    if (!isStarted) return;
    started.add(host);
    if (isAttempt) listener.attempted({ push, outcome, sentAt });
    else listener.waits(push);
  } finally {
    if (isStarted) listener.answered(1);
    else listener.notStarted(push);
  }
}
