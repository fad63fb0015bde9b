import { randomBytes, randomUUID } from 'node:crypto';
import type { ProvisionedApp } from '@homing/server';
import { request, type Answer } from './answer.ts';
import type { Issuer } from './issuer.ts';

/** The base URL that the next request goes to; where there are several servers, it may vary. */
export type Route = () => string;

/** What an SDK keeps on its phone. */
interface Memory {
  readonly id: string;
  readonly secret: string;
  seq: number;
}

/** A phone with one installation of the app: keeps its id, secret and counter like a good SDK. */
export class Device {
  readonly #memory: Memory;
  readonly #route: Route;
  readonly #app: ProvisionedApp;
  readonly #issuer: Issuer;
  readonly #address: string | null;

  /** With an address, the phone seems to come from there, as through a proxy. */
  constructor(
    route: Route | string,
    app: ProvisionedApp,
    issuer: Issuer,
    address: string | null = null,
    memory: Memory = freshMemory(),
  ) {
    this.#route = typeof route === 'string' ? () => route : route;
    this.#app = app;
    this.#issuer = issuer;
    this.#address = address;
    this.#memory = memory;
  }

  get id(): string {
    return this.#memory.id;
  }

  get secret(): string {
    return this.#memory.secret;
  }

  /** The same phone, its requests going another way. */
  at(route: Route): Device {
    return new Device(route, this.#app, this.#issuer, this.#address, this.#memory);
  }

  /** Counts up; what was last sent is `seq`. */
  nextSeq(): number {
    this.#memory.seq += 1;
    return this.#memory.seq;
  }

  get seq(): number {
    return this.#memory.seq;
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    return request(`${this.#route()}/v1/installations/${this.id}${path}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${this.#app.publishableKey}`,
        'homing-installation-secret': this.secret,
        ...(this.#address !== null && { 'x-forwarded-for': this.#address }),
      },
    });
  }

  /** Sends a registration packet under the next sequence, unless it names its own. */
  async sync(packet: Readonly<Record<string, unknown>>): Promise<Answer> {
    const seq = packet['seq'] ?? this.nextSeq();
    return this.request('PUT', '', { seq, ...packet });
  }

  /** A fresh assertion that a user is signed in on this device. */
  async assertion(userId: string): Promise<string> {
    return this.#issuer.sign(this.#app.id, userId, { installationId: this.id });
  }

  /** Reports a token and, with a user, signs in; both in one packet. */
  async register(token: unknown, userId?: string): Promise<Answer> {
    return this.sync({
      token,
      ...(userId !== undefined && {
        user: { id: userId, assertion: await this.assertion(userId) },
      }),
    });
  }

  async signIn(userId: string): Promise<Answer> {
    return this.sync({ user: { id: userId, assertion: await this.assertion(userId) } });
  }

  async signOut(): Promise<Answer> {
    return this.request('DELETE', `/user?seq=${this.nextSeq()}`);
  }
}

function freshMemory(): Memory {
  return { id: randomUUID(), secret: randomBytes(32).toString('base64url'), seq: 0 };
}

/** A device token as APNs makes them: 32 bytes in hex. The first digits never mean a sentinel. */
export function apnsToken(): { provider: 'apns'; value: string; environment: 'production' } {
  const value = `0a${randomBytes(31).toString('hex')}`;
  return { provider: 'apns', value, environment: 'production' };
}

/** A registration token as FCM makes them. */
export function fcmToken(): { provider: 'fcm'; value: string } {
  const id = randomBytes(16).toString('base64url').slice(0, 22);
  return { provider: 'fcm', value: `${id}:APA91b${randomBytes(90).toString('base64url')}` };
}

/** A push token as Huawei makes them for Android and EMUI. */
export function hmsToken(): { provider: 'hms'; value: string } {
  return { provider: 'hms', value: `IQAAAACy0${randomBytes(96).toString('base64url')}` };
}

/** A push token as Expo makes them; what it begins with may be a sentinel of the simulator. */
export function expoToken(prefix = 'ExponentPushToken['): { provider: 'expo'; value: string } {
  return { provider: 'expo', value: `${prefix}${randomBytes(16).toString('base64url')}]` };
}
