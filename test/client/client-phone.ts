import { hash, randomBytes } from 'node:crypto';
import type { ProvisionedApp } from '@homing/server';
import { createPushClient } from '../../packages/client/src/core/create-push-client.ts';
import type { Ports, Time } from '../../packages/client/src/core/ports.ts';
import type {
  PushClient,
  PushEnvelope,
  PushEventName,
  PushEvents,
  Verdict,
} from '../../packages/client/src/core/push-client.ts';
import type { PushClientOptions } from '../../packages/client/src/core/push-client-options.ts';
import { apnsToken, type Route } from '../device.ts';
import type { Issuer } from '../issuer.ts';
import { Disk } from './disk.ts';
import { Link } from './link.ts';
import { PhoneSystem } from './phone-system.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a phone needs to know of the world. */
export interface PhoneWorld {
  readonly route: Route | string;
  readonly app: ProvisionedApp;
  readonly issuer: Issuer;
}

export interface PhoneParts {
  /** Default: an installation that was never started. */
  readonly disk?: Disk;
  /** Default: a system that gives an APNs token. */
  readonly system?: PhoneSystem;
  /** Default: time that the test moves. */
  readonly time?: Time;
  readonly options?: Partial<PushClientOptions>;
}

export type PhoneEvent = {
  [K in PushEventName]: { readonly name: K; readonly event: PushEvents[K] };
}[PushEventName];

const EVENTS: readonly PushEventName[] = [
  'registered',
  'signed_out',
  'token_error',
  'permission',
  'error',
];

/**
 * A phone with the real client core on it, speaking to real servers. What it keeps outlives the
 * process of its app, which can be killed and opened again; two phones on one disk are two
 * processes, or tabs, of one installation.
 */
export class ClientPhone implements AsyncDisposable {
  readonly disk: Disk;
  readonly system: PhoneSystem;
  readonly link: Link;
  readonly time: Time;
  readonly #world: PhoneWorld;
  readonly #options: PushClientOptions;
  readonly #events: PhoneEvent[] = [];
  #process: { readonly client: PushClient; isAlive: boolean } | null = null;

  constructor(world: PhoneWorld, parts: PhoneParts = {}) {
    this.#world = world;
    this.disk = parts.disk ?? new Disk();
    this.system = parts.system ?? new PhoneSystem(apnsToken());
    this.link = new Link(world.route);
    this.time = parts.time ?? new VirtualTime();
    this.#options = { key: world.app.publishableKey, sdkVersion: '0.1.0', ...parts.options };
  }

  /** Of the process that runs; throws when none does. */
  get client(): PushClient {
    if (this.#process === null) throw new Error('The app is not open.');
    return this.#process.client;
  }

  /** What the client told the app, through all its processes. */
  get events(): readonly PhoneEvent[] {
    return this.#events;
  }

  /** The users of `signed_out` events. */
  get signedOut(): readonly string[] {
    return this.#events.flatMap((one) => (one.name === 'signed_out' ? [one.event.userId] : []));
  }

  /** What the client keeps about itself. */
  get identity(): { readonly id: string; readonly secret: string; readonly seq: number } {
    return JSON.parse(this.disk.text ?? 'null');
  }

  /** Another process of the app begins and checks in. */
  async open(): Promise<PushClient> {
    const client = this.launch();
    await client.start();
    await client.settled();
    return client;
  }

  /** Another process begins, and does nothing by itself yet. */
  launch(): PushClient {
    const state = { isAlive: true };
    const client = createPushClient(
      this.#options,
      this.#ports(() => state.isAlive),
    );
    this.#process = Object.assign(state, { client });
    for (const name of EVENTS) {
      client.on(name, (event) => this.#events.push({ name, event } as PhoneEvent));
    }
    return client;
  }

  /** The process ends in the middle of whatever it does; nothing is written any more. */
  async kill(): Promise<void> {
    const ended = this.#process;
    this.#process = null;
    if (ended === null) return;
    ended.isAlive = false;
    await ended.client[Symbol.asyncDispose]();
  }

  /** Signs in as the app does: its back end vouches for the user on this installation. */
  async login(userId: string): Promise<void> {
    await this.client.login(userId, { assertion: this.vouchFor(userId) });
    await this.client.settled();
  }

  /** The app's own back end, asked from this phone. */
  vouchFor(userId: string): (installationId: string) => Promise<string> {
    const { issuer, app } = this.#world;
    return (installationId) => issuer.sign(app.id, userId, { installationId });
  }

  async logout(userId?: string): Promise<void> {
    await this.client.logout(userId);
    await this.client.settled();
  }

  /** Lets virtual time pass, with everything that it brings. */
  async advance(ms: number): Promise<void> {
    if (!(this.time instanceof VirtualTime)) throw new Error('This phone has real time.');
    await this.time.advance(ms, async () => this.#process?.client.settled());
  }

  /** A push arrives, is shown or not, and a strict app's challenge is echoed. */
  async receive(envelope: PushEnvelope): Promise<Verdict> {
    const verdict = await this.client.received(envelope);
    const { id, rcpt = null } = envelope;
    if (verdict === 'show') {
      this.system.screen = [...this.system.screen, { id, rcpt }];
      await this.client.displayed(envelope);
    }
    await this.client.settled();
    return verdict;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #ports(isAlive: () => boolean): Ports {
    return {
      platform: this.system,
      store: this.disk.open(isAlive),
      transport: async (request, signal) => {
        const answer = isAlive() ? await this.link.transport(request, signal) : null;
        return isAlive() ? answer : null;
      },
      time: this.time,
      cryptography: {
        randomBytes: (count) => randomBytes(count),
        sha256: async (bytes) => hash('sha256', bytes, 'buffer'),
      },
      exclusive: this.disk.exclusive,
    };
  }
}

/** What a push says of itself, from what a provider was given; null where it says nothing. */
export function envelopeOf(body: unknown): PushEnvelope | null {
  const { homing, message } = (body ?? {}) as {
    readonly homing?: PushEnvelope;
    readonly message?: { readonly data?: Readonly<Record<string, string>> };
  };
  if (homing !== undefined) return homing;
  const data = message?.data ?? {};
  const { homing_notification: id, homing_rcpt: rcpt, homing_challenge: challenge } = data;
  if (id === undefined) return null;
  return { id, ...(rcpt !== undefined && { rcpt }), ...(challenge !== undefined && { challenge }) };
}
