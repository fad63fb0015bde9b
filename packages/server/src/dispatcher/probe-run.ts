import assert from 'node:assert';
import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import { NO_OVERRIDES } from '../domain/message.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Push } from '../domain/push.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import { settleProbe } from '../feedback/settle-probe.ts';
import { outcomesOf } from '../providers/provider.ts';
import { postponeProbe, type LeasedProbe } from '../store/probes.ts';
import type { Database } from '../store/sql.ts';
import type { Lane } from './lane.ts';
import type { DispatcherMetrics } from './metrics.ts';

export interface ProbeRunDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly metrics: DispatcherMetrics;
  readonly signal: AbortSignal;
}

/** What serves a probe, and for how long it may be offered. */
export interface ProbeChance {
  /** Null when nothing does. */
  readonly lane: Lane | null;
  /**
   * On the scale of `performance.now()`, counted from before it was leased: whoever takes it up
   * after the lease can rely on it that this worker, frozen meanwhile, does not send it any more.
   */
  readonly startBefore: number;
}

/**
 * Offers one probe once and settles it, or leaves it for later. Its answer never closes the lane: a
 * question about an address that may be wrong says nothing about the credential.
 */
export async function runProbe(
  deps: ProbeRunDependencies,
  probe: LeasedProbe,
  { lane, startBefore: leaseBound }: ProbeChance,
): Promise<void> {
  const { db, clock, metrics, signal } = deps;
  const later = new Date(clock().getTime() + LIMITS.probeRetryMs * probe.attempt);
  if (lane === null) return postponeProbe(db, probe, later);
  const pausedUntil = lane.pausedUntil(clock());
  if (pausedUntil !== null) return postponeProbe(db, probe, pausedUntil);
  if ((await lane.provider.prepare(signal)) !== null) return postponeProbe(db, probe, later);
  const sentAt = clock();
  const startBefore = Math.min(performance.now() + LIMITS.gateFreshMs, leaseBound);
  const [outcome] = await outcomesOf(lane.provider, [toPush(probe)], { startBefore, signal });
  assert(outcome !== undefined, 'a provider answers for each push');
  metrics.outcome(lane.name, outcome.kind);
  if (isWorthAnother(outcome)) return postponeProbe(db, probe, later);
  await settleProbe(db, probe, { outcome, sentAt }, clock());
}

function isWorthAnother({ kind }: Outcome): boolean {
  return ['not_started', 'transient', 'throttled', 'unknown'].includes(kind);
}

/** A silent push that shows nothing and names nobody. */
function toPush({ id, kind, address, nonce, expiresAt }: LeasedProbe): Push {
  const message = {
    notificationId: formatTypedId('prb', id),
    title: null,
    body: null,
    image: null,
    url: null,
    data: {},
    actions: [],
    badge: null,
    sound: null,
    silent: true,
    ...(kind === 'validity' && { isTrial: true as const }),
    priority: 'high',
    collapseKey: null,
    challenge: nonce,
    overrides: NO_OVERRIDES,
  } as const;
  return { id, address, message, rcpt: null, collapseScope: null, expiresAt, drawnBySdk: false };
}
