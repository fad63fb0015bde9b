import type { SendOptions } from '../provider.ts';
import type { PlainMessage } from './message-encryption.ts';

/** The bodies of some messages in their order, null for one that nobody could read. */
export type EncryptedBodies = readonly (Buffer | null)[];

/** Messages that are encrypted together, and whom to tell. */
export interface WaitingBatch {
  readonly messages: readonly PlainMessage[];
  readonly options: SendOptions;
  readonly resolve: (bodies: EncryptedBodies | null) => void;
  readonly reject: (error: unknown) => void;
  /** How many threads died with it. */
  deaths: number;
}

interface Place {
  readonly batch: WaitingBatch;
  /** Stops its clock, and listening to its signal. */
  readonly stop: () => void;
}

/**
 * Batches that wait for a thread. Whoever waits until its time is up, or is not wanted any more, is
 * given back at once, whether or not a thread ever comes free.
 */
export class EncryptionLine {
  readonly #places: Place[] = [];

  /** Waits behind all others. */
  join(batch: WaitingBatch): void {
    this.#places.push(this.#watch(batch));
  }

  /** Waits before all others. */
  jump(batch: WaitingBatch): void {
    this.#places.unshift(this.#watch(batch));
  }

  /** The first of those that can still be sent, which waits no longer; null when nobody does. */
  next(): WaitingBatch | null {
    for (let first = this.#shift(); first !== undefined; first = this.#shift()) {
      if (isWanted(first.options)) return first;
      first.resolve(null);
    }
    return null;
  }

  giveAllBack(): void {
    for (let first = this.#shift(); first !== undefined; first = this.#shift()) first.resolve(null);
  }

  #shift(): WaitingBatch | undefined {
    const first = this.#places.shift();
    first?.stop();
    return first?.batch;
  }

  #watch(batch: WaitingBatch): Place {
    const { startBefore, signal } = batch.options;
    const giveBack = (): void => this.#giveBack(batch);
    // A signal that was given before tells nobody.
    const leftMs = signal.aborted ? 0 : Math.max(0, startBefore - performance.now());
    const timer = setTimeout(giveBack, leftMs);
    signal.addEventListener('abort', giveBack, { once: true });
    const stop = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveBack);
    };
    return { batch, stop };
  }

  #giveBack(batch: WaitingBatch): void {
    const index = this.#places.findIndex((place) => place.batch === batch);
    const [place] = this.#places.splice(index, 1);
    place?.stop();
    batch.resolve(null);
  }
}

function isWanted({ startBefore, signal }: SendOptions): boolean {
  return !signal.aborted && performance.now() <= startBefore;
}
