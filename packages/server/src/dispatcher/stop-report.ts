import { LIMITS } from '../domain/limits.ts';

export interface LaneObserver {
  /** The credential was refused: its lane stands still until it works again. */
  stopped(credentialRef: number, code: string): Promise<void>;
  /** A stopped credential was accepted again. */
  resumed(credentialRef: number): Promise<void>;
  /** One of these could not be recorded; the lane goes on, and tells it again later. */
  failed(error: unknown): void;
}

/** Tells that a credential is refused, or works again: once, and now and then. */
export class StopReport {
  readonly #credentialRef: number;
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

  constructor(credentialRef: number, observer: LaneObserver) {
    this.#credentialRef = credentialRef;
    this.#observer = observer;
  }

  refused(code: string): void {
    if (this.#telling !== null) {
      this.#next = () => this.refused(code);
      return;
    }
    if (this.#isStopReported) return;
    this.#tell(async () => {
      await this.#observer.stopped(this.#credentialRef, code);
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
      await this.#observer.resumed(this.#credentialRef);
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
