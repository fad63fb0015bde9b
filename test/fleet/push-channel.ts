import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '@homing/simulators';
import { envelopeOf } from '../client/client-phone.ts';
import { apnsToken } from '../device.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Arrival, Handset, SystemToken } from './handset.ts';

/** A provider's way to the phones: it gives tokens, and brings late what it took for them. */
export class PushChannel {
  readonly #network: Network;
  readonly #random: SeededRandom;
  readonly #longestDelayMs: number;
  readonly #owners = new Map<string, Handset>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(network: Network, random: SeededRandom, longestDelayMs: number) {
    this.#network = network;
    this.#random = random;
    this.#longestDelayMs = longestDelayMs;
  }

  /** All tokens that there ever were, with the phone that each was given to. */
  get owners(): ReadonlyMap<string, Handset> {
    return this.#owners;
  }

  issue(handset: Handset): SystemToken {
    const token = apnsToken();
    this.#owners.set(token.value, handset);
    return token;
  }

  /** From now on the provider calls it dead, and brings nothing to it. */
  retire({ value }: SystemToken): void {
    const { apns, clock } = this.#network;
    apns.devices.set(value, { kind: 'unregistered', atMs: clock.now().getTime() });
  }

  /** A push that the provider took goes to the phone that has the token when it comes there. */
  carry({ token, body }: Entry): void {
    const handset = this.#owners.get(token ?? '');
    const envelope = envelopeOf(body);
    if (handset === undefined || envelope === null) return;
    const arrival = { envelope, number: Number((body as { readonly number?: string }).number) };
    const carried = this.#bring(token ?? '', handset, arrival).finally(() => {
      this.#underWay.delete(carried);
    });
    this.#underWay.add(carried);
  }

  /** Resolves when nothing is on its way any more. */
  async rest(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #bring(token: string, handset: Handset, arrival: Arrival): Promise<void> {
    await delay(this.#random.next() * this.#longestDelayMs);
    if (handset.token?.value === token) handset.arrive(arrival);
  }
}
