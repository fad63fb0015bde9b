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
 * Offers a slice to the provider, in batches of what one request carries. Resolves when the last
 * answer is in, and tells the lane of each of them. A batch that fails keeps no place on the wire
 * and none of the others from being heard; then it rejects with the first failure.
 */
export async function offer(
  deps: OfferDependencies,
  lane: Lane,
  slice: { readonly pushes: readonly AdmittedPush[]; readonly gatedAt: number },
  listener: OfferListener,
): Promise<void> {
  const { pushes, gatedAt } = slice;
  const { batchSize } = lane.provider.limits;
  const started = new Set<string>();
  const failures: unknown[] = [];
  const batches: Promise<void>[] = [];
  for (let from = 0; from < pushes.length; from += batchSize) {
    const batch = pushes.slice(from, from + batchSize);
    const offered = offerBatch(deps, lane, { pushes: batch, gatedAt }, listener, started);
    // Heeded at once: the next batches are only offered after a turn of the event loop.
    batches.push(offered.catch((error: unknown) => void failures.push(error)));
    // Hundreds of requests are built and written in one go otherwise, and all else has to wait.
    if ((from + batchSize) % LIMITS.pushesAtOnce === 0) await setImmediate();
  }
  await Promise.all(batches);
  if (failures.length > 0) throw failures[0];
  for (const host of new Set(pushes.map((push) => push.host))) {
    if (!started.has(host)) lane.stalled(host, gatedAt, deps.clock());
  }
}

async function offerBatch(
  { clock, metrics, signal }: OfferDependencies,
  lane: Lane,
  batch: { readonly pushes: readonly AdmittedPush[]; readonly gatedAt: number },
  listener: OfferListener,
  started: Set<string>,
): Promise<void> {
  const sentAt = clock();
  const startBefore = batch.gatedAt + LIMITS.gateFreshMs;
  const pushes = batch.pushes.map(({ push }) => push);
  let held = pushes.length;
  try {
    const outcomes = await lane.provider.send(pushes, { startBefore, signal });
    assert(outcomes.length === pushes.length, 'a provider answers for each push');
    const unstarted = outcomes.filter(({ kind }) => kind === 'not_started').length;
    listener.answered(held - unstarted);
    held = unstarted;
    for (const [index, push] of batch.pushes.entries()) {
      const outcome = outcomes[index];
      assert(outcome !== undefined);
      metrics.outcome(lane.name, outcome.kind);
      const { host, isProbe } = push;
      const isAttempt = await lane.heed({ outcome, host, isProbe, now: clock() });
      if (outcome.kind === 'not_started') {
        held -= 1;
        listener.notStarted(push);
        continue;
      }
      started.add(host);
      if (isAttempt) listener.attempted({ push, outcome, sentAt });
      else listener.waits(push);
    }
  } finally {
    if (held > 0) listener.answered(held);
  }
}
