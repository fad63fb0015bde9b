import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { ProvisionedApp } from '@homing/server';
import { request, type Answer } from '../answer.ts';
import type { Issuer } from '../issuer.ts';

/** What a provider gave the app as its address. */
export type Token =
  | {
      readonly provider: 'apns';
      readonly value: string;
      readonly environment: 'production' | 'sandbox';
    }
  | { readonly provider: 'fcm'; readonly value: string }
  | {
      readonly provider: 'webpush';
      readonly endpoint: string;
      readonly keys: { readonly p256dh: string; readonly auth: string };
    };

/**
 * A request that left a phone. Whoever holds it is the network: each call makes it arrive once
 * more, at the named server or at the next in turn; never called, it was lost.
 */
export type Packet = (server?: string) => Promise<Answer>;

/** What a phone needs to know of the world. */
export interface PhoneSurroundings {
  readonly app: ProvisionedApp;
  readonly issuer: Issuer;
  readonly now: () => Date;
  /** The server that the next request goes to. */
  readonly server: () => string;
}

/** What a backup can carry to another phone. */
export interface PhoneStorage {
  readonly id: string;
  readonly secret: string;
}

export interface SignInOptions {
  /** Reported in the same packet. */
  readonly token?: Token;
  /** Of the assertion; by default now. */
  readonly issuedAt?: Date;
  /** In place of a fresh one. */
  readonly assertion?: string;
  /** Echoes the nonce of a `409 token_held`. */
  readonly takeover?: unknown;
}

/**
 * One installation, as the scenarios speak of it: it writes packets under sequences that the
 * scenario names, and leaves their arrival to the scenario.
 */
export class Phone implements PhoneStorage {
  readonly id: string;
  readonly secret: string;
  readonly #around: PhoneSurroundings;

  /** By default with a fresh installation; with a storage, as a copy of another one. */
  constructor(around: PhoneSurroundings, storage: PhoneStorage = freshStorage()) {
    this.id = storage.id;
    this.secret = storage.secret;
    this.#around = around;
  }

  /** Any packet; sequence and fields as they stand in its body. */
  packet(fields: Readonly<Record<string, unknown>>): Packet {
    return (server) => this.request('PUT', '', fields, server);
  }

  /** `tok`: the installation reports its token. */
  token(token: Token | null, seq: number, takeover?: unknown): Packet {
    return this.packet({ seq, token, ...(takeover !== undefined && { takeover }) });
  }

  /** `in`, and `sw` when somebody else is signed in: a login with an assertion of its own. */
  signIn(userId: string, seq: number, options: SignInOptions = {}): Packet {
    const { token, takeover } = options;
    // Signed when the packet is written, so that it does not grow younger on its way.
    const signed = options.assertion ?? this.assertion(userId, options.issuedAt);
    return async (server) => {
      const fields = {
        seq,
        user: { id: userId, assertion: await signed },
        ...(token !== undefined && { token }),
        ...(takeover !== undefined && { takeover }),
      };
      return this.request('PUT', '', fields, server);
    };
  }

  /** `out`: needs the installation's secret alone. */
  signOut(seq: number): Packet {
    return (server) => this.request('DELETE', `/user?seq=${seq}`, undefined, server);
  }

  async assertion(userId: string, issuedAt: Date = this.#around.now()): Promise<string> {
    const { app, issuer } = this.#around;
    return issuer.sign(app.id, userId, { installationId: this.id, issuedAt });
  }

  /** What the SDK on this phone compares a push with, to know whether it is for this user. */
  tagOf(userId: string): string {
    const secretHash = hash('sha256', this.secret, 'buffer');
    const input = Buffer.concat([Buffer.from('rcpt'), secretHash, Buffer.from(userId)]);
    return hash('sha256', input, 'base64url').slice(0, 22);
  }

  async request(method: string, path: string, body?: unknown, server?: string): Promise<Answer> {
    const base = server ?? this.#around.server();
    return request(`${base}/v1/installations/${this.id}${path}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${this.#around.app.publishableKey}`,
        'homing-installation-secret': this.secret,
      },
    });
  }
}

/** The part of a token by which a provider knows the installation. */
export function addressOf(token: Token): string {
  return token.provider === 'webpush' ? token.endpoint : token.value;
}

/** What an SDK makes at its first start. */
export function freshStorage(): PhoneStorage {
  return { id: randomUUID(), secret: randomBytes(32).toString('base64url') };
}
