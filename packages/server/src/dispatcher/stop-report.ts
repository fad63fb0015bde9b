import { LIMITS } from '../domain/limits.ts';

/** Where a credential is refused: everywhere, or at the one host that judges for itself. */
export interface RefusedAt {
  readonly credentialRef: number;
  readonly host: string | null;
}

export interface LaneObserver {
  /** The credential was refused: what it would carry there stands still until it works again. */
  stopped(at: RefusedAt, code: string): Promise<void>;
  /** A stopped credential was accepted again. */
  resumed(at: RefusedAt): Promise<void>;
  /** One of these could not be recorded; the lane goes on, and tells it again later. */
  failed(error: unknown): void;
}

/** Tells that a credential is refused, or works again: once, and now and then. */
export class StopReport {
  readonly #at: RefusedAt;
  readonly #observer: LaneObserver;
  /**
   * When an acceptance was last told; null when there was none since the last stop. It is told
   * again now and then, because another process, or a former one, may have recorded a stop.
   */
  #resumedAt: Date | null = null;
  #isStopReported = false;
  /** What is being told; one record at a time. */
  #telling: Promise<void> | null = null;
  /** The last word that came meanwhile: it may say the opposite. */
  #next: (() => void) | null = null;

  constructor(at: RefusedAt, observer: LaneObserver) {
    this.#at = at;
    this.#observer = observer;
  }

  refused(code: string): void {
    if (this.#telling !== null) {
      this.#next = () => this.refused(code);
      return;
    }
    if (this.#isStopReported) return;
    this.#tell(async () => {
      await this.#observer.stopped(this.#at, code);
      this.#isStopReported = true;
      this.#resumedAt = null;
    });
  }

  accepted(now: Date): void {
    if (this.#telling !== null) {
      this.#next = () => this.accepted(now);
      return;
    }
    const toldAt = this.#resumedAt?.getTime() ?? -Infinity;
    if (now.getTime() - toldAt < LIMITS.stopReviewMs) return;
    this.#tell(async () => {
      await this.#observer.resumed(this.#at);
      this.#isStopReported = false;
      this.#resumedAt = now;
    });
  }

  /** Resolves when all that was said is told. */
  async told(): Promise<void> {
    while (this.#telling !== null) await this.#telling;
  }

  /** Its failure must not lose the outcomes that it came with. */
  #tell(record: () => Promise<void>): void {
    this.#telling = record()
      .catch((error: unknown) => this.#observer.failed(error))
      .finally(() => {
        const next = this.#next;
        this.#next = null;
        this.#telling = null;
        next?.();
      });
  }
}
