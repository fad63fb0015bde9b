import { randomBytes } from 'node:crypto';
import type { Arrival } from '../../shelf.ts';

/** The connection that a browser has now. */
export interface LiveConnection {
  /** Ends it as a failing network would. */
  drop(): void;
  /** Called for a message that was taken for a channel of the browser. */
  announce(channelId: string, arrival: Arrival): void;
}

/** A browser profile as its push service remembers it, connected or not. */
export interface Profile {
  /** By which the browser names itself when it comes back. */
  readonly uaid: string;
  /** Endpoints by channel; a channel is the browser's own name for a subscription. */
  readonly channels: Map<string, string>;
  connection: LiveConnection | null;
}

const UAID_BYTES = 16;

/** The profiles that a service knows. */
export class Profiles {
  readonly #byUaid = new Map<string, Profile>();

  /** The profile of a browser that comes back, or a new one: then the browser starts afresh. */
  greet(uaid: string | null): Profile {
    const known = uaid === null ? undefined : this.#byUaid.get(uaid);
    if (known !== undefined) return known;
    const created: Profile = {
      uaid: randomBytes(UAID_BYTES).toString('hex'),
      channels: new Map(),
      connection: null,
    };
    this.#byUaid.set(created.uaid, created);
    return created;
  }

  /** Forgets all of them, and returns those that were known. */
  forget(): readonly Profile[] {
    const known = [...this.#byUaid.values()];
    this.#byUaid.clear();
    return known;
  }
}
