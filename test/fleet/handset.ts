import { randomUUID } from 'node:crypto';
import type { Permission } from '../../packages/client/src/core/ports.ts';
import type { PushEnvelope } from '../../packages/client/src/core/push-client.ts';
import type { apnsToken } from '../device.ts';
import type { PushChannel } from './push-channel.ts';

export type SystemToken = ReturnType<typeof apnsToken>;

/** What a phone shows. */
export interface Shown {
  readonly number: number;
  readonly userId: string;
  /** On the clock of `performance`. */
  readonly atMs: number;
}

/** A push that the provider's service brings to a phone. */
export interface Arrival {
  readonly envelope: PushEnvelope;
  /** Of the message, as its sender numbered it. */
  readonly number: number;
}

/** A phone's hardware and its operating system, as far as an app and its pushes see them. */
export class Handset {
  permission: Permission = 'default';
  /** Without a network nothing leaves the phone, and what comes is kept by the service. */
  isOnline = true;
  readonly screen: Shown[] = [];
  readonly #channel: PushChannel;
  readonly #onArrival: () => void;
  readonly #arrivals: Arrival[] = [];
  #vendorId = randomUUID();
  #token: SystemToken | null = null;
  #listener: ((token: SystemToken) => void) | null = null;

  constructor(channel: PushChannel, onArrival: () => void) {
    this.#channel = channel;
    this.#onArrival = onArrival;
  }

  get vendorId(): string {
    return this.#vendorId;
  }

  /** The token as it is; null before the app asked for one, and after it gave it back. */
  get token(): SystemToken | null {
    return this.#token;
  }

  mayShow(): boolean {
    return allowsPushes(this.permission);
  }

  /** The app asks for its token. */
  giveToken(): SystemToken {
    this.#token ??= this.#channel.issue(this);
    return this.#token;
  }

  /** The app gives it back, or the system takes it away: what is sent to it reaches nobody. */
  dropToken(): void {
    if (this.#token !== null) this.#channel.retire(this.#token);
    this.#token = null;
  }

  /** The system gives the app another token, unasked; the former one is dead. */
  renewToken(): SystemToken {
    this.dropToken();
    const token = this.giveToken();
    this.#listener?.(token);
    return token;
  }

  /** One process of the app at a time hears of tokens. */
  listen(listener: ((token: SystemToken) => void) | null): void {
    this.#listener = listener;
  }

  arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#onArrival();
  }

  /** The next push for an app that runs; null when there is none, or no network to bring it. */
  take(): Arrival | null {
    return this.isOnline ? (this.#arrivals.shift() ?? null) : null;
  }

  /** One that an app was killed over. */
  putBack(arrival: Arrival): void {
    this.#arrivals.unshift(arrival);
  }

  /** The app was deleted: nothing of it is left but what the system may keep for its return. */
  forgetApp(keep: 'token' | 'nothing'): void {
    if (keep === 'nothing') this.dropToken();
    this.permission = 'default';
    this.screen.length = 0;
    this.#arrivals.length = 0;
  }

  /** Another phone in the same hand. */
  replace(): void {
    this.forgetApp('nothing');
    this.#vendorId = randomUUID();
  }
}

export function allowsPushes(permission: Permission): boolean {
  return permission === 'granted' || permission === 'provisional';
}
