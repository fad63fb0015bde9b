import { Lane, type LaneObserver, type OpenProvider } from './lane.ts';

/** Opens the provider of a credential; throws when the credential is gone or cannot be unsealed. */
export type OpenLane = (credentialRef: number) => Promise<OpenProvider>;

/** The lanes of this worker, opened when first needed and kept until it stops. */
export class LaneBook implements AsyncDisposable {
  readonly #openProvider: OpenLane;
  readonly #observer: LaneObserver;
  readonly #random: () => number;
  readonly #lanes = new Map<number, Promise<Lane>>();

  constructor(openProvider: OpenLane, observer: LaneObserver, random: () => number) {
    this.#openProvider = openProvider;
    this.#observer = observer;
    this.#random = random;
  }

  open(credentialRef: number): Promise<Lane> {
    const known = this.#lanes.get(credentialRef);
    if (known !== undefined) return known;
    const lane = this.#openProvider(credentialRef).then(
      (open) => new Lane(credentialRef, open, this.#observer, this.#random),
    );
    this.#lanes.set(credentialRef, lane);
    // A failure is not kept: the credential may be mended meanwhile.
    lane.catch(() => this.#lanes.delete(credentialRef));
    return lane;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lanes = await Promise.allSettled(this.#lanes.values());
    const opened = lanes.flatMap((lane) => (lane.status === 'fulfilled' ? [lane.value] : []));
    await Promise.all(opened.map((lane) => lane.provider[Symbol.asyncDispose]()));
  }
}
