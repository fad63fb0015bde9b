import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RetryPolicy } from '../domain/retry-policy.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderName } from '../domain/address.ts';
import { lanePauseMs } from './backoff.ts';

/** What a lane is made from: one credential opened as a provider, with its retry policy. */
export interface OpenProvider {
  readonly name: ProviderName;
  readonly provider: Provider;
  readonly policy: RetryPolicy;
}

export interface LaneObserver {
  /** The credential was refused: its lane stands still until it works again. */
  stopped(credentialRef: number, code: string): Promise<void>;
  /** A stopped credential was accepted again. */
  resumed(credentialRef: number): Promise<void>;
  /** One of these could not be recorded; the lane goes on, and tells it again later. */
  failed(error: unknown): void;
}

const AUTH_PAUSE_MS = 60_000;

/**
 * The flow of one credential. Open, it lets chunks through; after a fault it pauses, longer with
 * each fault in a row, and the next chunk after the pause is the probe. Nothing that waits for a
 * lane burns an attempt, and no other lane notices.
 */
export class Lane {
  readonly credentialRef: number;
  readonly name: ProviderName;
  readonly provider: Provider;
  readonly policy: RetryPolicy;
  readonly #observer: LaneObserver;
  readonly #random: () => number;
  #faults = 0;
  #pausedUntil: Date | null = null;
  /**
   * When an acceptance was last told; null when there was none since the last stop. It is told
   * again now and then, because another process, or a former one, may have recorded a stop.
   */
  #resumedAt: Date | null = null;
  #isStopReported = false;
  #isTelling = false;

  constructor(
    credentialRef: number,
    open: OpenProvider,
    observer: LaneObserver,
    random: () => number,
  ) {
    this.credentialRef = credentialRef;
    this.name = open.name;
    this.provider = open.provider;
    this.policy = open.policy;
    this.#observer = observer;
    this.#random = random;
  }

  /** When the lane opens again; null when it is open. */
  pausedUntil(now: Date): Date | null {
    return this.#pausedUntil !== null && this.#pausedUntil > now ? this.#pausedUntil : null;
  }

  /** Takes note of an outcome; true when it says that the lane cannot be used at the moment. */
  async heed(outcome: Outcome, now: Date): Promise<boolean> {
    // A refusal of one topic leaves the credential's other topics alone.
    if (outcome.kind === 'auth' && outcome.scope === 'credential') {
      await this.close(outcome, now);
      return true;
    }
    if (isOutOfReach(outcome)) {
      await this.close(outcome, now);
      return true;
    }
    if (outcome.kind === 'accepted') await this.#recover(now);
    return false;
  }

  /**
   * Closes the lane for a while, because of what kept a push, or all of them, from being offered.
   */
  async close(obstacle: Outcome, now: Date): Promise<void> {
    if (obstacle.kind === 'auth') {
      this.#pausedUntil = new Date(now.getTime() + AUTH_PAUSE_MS);
      if (this.#isStopReported) return;
      await this.#tell(async () => {
        await this.#observer.stopped(this.credentialRef, obstacle.code);
        this.#isStopReported = true;
        this.#resumedAt = null;
      });
      return;
    }
    // Many pushes fail together when a provider goes away; that is one fault.
    if (this.pausedUntil(now) !== null) return;
    this.#faults += 1;
    const toldMs = 'retryAfterMs' in obstacle ? obstacle.retryAfterMs : null;
    const pauseMs = toldMs ?? lanePauseMs(this.#faults, this.#random);
    this.#pausedUntil = new Date(now.getTime() + pauseMs);
  }

  async #recover(now: Date): Promise<void> {
    this.#faults = 0;
    this.#pausedUntil = null;
    const toldAt = this.#resumedAt?.getTime() ?? -Infinity;
    if (now.getTime() - toldAt < LIMITS.stopReviewMs) return;
    await this.#tell(async () => {
      await this.#observer.resumed(this.credentialRef);
      this.#isStopReported = false;
      this.#resumedAt = now;
    });
  }

  /** One record at a time; its failure must not lose the outcomes that it came with. */
  async #tell(record: () => Promise<void>): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      await record();
    } catch (error) {
      this.#observer.failed(error);
    } finally {
      this.#isTelling = false;
    }
  }
}

/** Nothing was handed over: no connection, or nothing to authenticate with. */
function isOutOfReach(outcome: Outcome): boolean {
  return outcome.kind === 'transient' && outcome.status === null;
}
