import type { OpenProvider } from '../providers/provider.ts';
import { Lane } from './lane.ts';
import type { RateLimiters } from './rate-limiters.ts';
import type { LaneObserver } from './stop-report.ts';

/** Opens the provider of a credential; throws when the credential is gone or cannot be unsealed. */
export type OpenLane = (credentialRef: number) => Promise<OpenProvider>;

export interface LaneBookOptions {
  readonly openLane: OpenLane;
  readonly laneObserver: LaneObserver;
  readonly random: () => number;
  readonly limiters: RateLimiters;
}

/** The lanes of this worker, opened when first needed and kept until it stops. */
export class LaneBook implements AsyncDisposable {
  readonly #openProvider: OpenLane;
  readonly #observer: LaneObserver;
  readonly #random: () => number;
  readonly #limiters: RateLimiters;
  readonly #lanes = new Map<number, Promise<Lane>>();
  readonly #opened: Lane[] = [];

  constructor(options: LaneBookOptions) {
    this.#openProvider = options.openLane;
    this.#observer = options.laneObserver;
    this.#random = options.random;
    this.#limiters = options.limiters;
  }

  open(credentialRef: number): Promise<Lane> {
    const known = this.#lanes.get(credentialRef);
    if (known !== undefined) return known;
    const lane = this.#open(credentialRef);
    this.#lanes.set(credentialRef, lane);
    // A failure is not kept: the credential may be mended meanwhile.
    lane.catch(() => this.#lanes.delete(credentialRef));
    return lane;
  }

  /** The credentials whose chunks are not worth a lease at the moment. */
  leftAlone(now: Date): readonly number[] {
    return this.#opened.filter((lane) => lane.isLeftAlone(now)).map((lane) => lane.credentialRef);
  }

  async #open(credentialRef: number): Promise<Lane> {
    const open = await this.#openProvider(credentialRef);
    const lane = new Lane(credentialRef, open, {
      observer: this.#observer,
      random: this.#random,
      limiter: open.bucket === null ? null : this.#limiters.of(open.bucket),
    });
    this.#opened.push(lane);
    return lane;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#lanes.values());
    await Promise.all(this.#opened.map((lane) => lane.provider[Symbol.asyncDispose]()));
  }
}
