import type { WebSocket } from 'ws';
import type { Arrival } from '../../shelf.ts';
import { unreachable } from '../../unreachable.ts';
import { readPublicPoint } from '../public-point.ts';
import type { WebPushSimulator } from '../simulator.ts';
import type { EncryptedMessage } from '../subscription.ts';
import { readClientFrame } from './client-frame.ts';
import type { Acknowledgement, ClientFrame } from './client-frame.ts';
import type { LiveConnection, Profile, Profiles } from './profile.ts';

/** A message on the socket, for those who watch. */
export interface Frame {
  /** `in` comes from the browser. */
  readonly direction: 'in' | 'out';
  /** Null until the browser has said who it is. */
  readonly uaid: string | null;
  readonly text: string;
}

export interface SessionOptions {
  readonly socket: WebSocket;
  readonly simulator: WebPushSimulator;
  readonly profiles: Profiles;
  readonly onFrame: (frame: Frame) => void;
  /** Whether messages are kept back at the moment. */
  readonly isHeld: () => boolean;
}

const HELLO_DEADLINE_MS = 5000;
const POLICY_VIOLATION = 1008;
// autopush sends no more before the browser has said that it has them.
const MAX_UNACKNOWLEDGED = 10;
const ACCEPTED_CODE = 100;
const CHANNEL = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * One connection of a browser to its push service, in three phases:
 *
 *     greeting  until `hello`, for five seconds at most
 *     open      channels come and go; messages are sent as they arrive, the stored ones at once
 *     closed    what was not acknowledged stays stored, and is sent again on the next connection
 */
export class Session implements LiveConnection {
  readonly #socket: WebSocket;
  readonly #simulator: WebPushSimulator;
  readonly #profiles: Profiles;
  readonly #onFrame: (frame: Frame) => void;
  readonly #isHeld: () => boolean;
  readonly #helloDeadline: NodeJS.Timeout;
  /** What was sent on this connection, by version. */
  readonly #unacknowledged = new Set<string>();
  #profile: Profile | null = null;

  constructor({ socket, simulator, profiles, onFrame, isHeld }: SessionOptions) {
    this.#socket = socket;
    this.#simulator = simulator;
    this.#profiles = profiles;
    this.#onFrame = onFrame;
    this.#isHeld = isHeld;
    this.#helloDeadline = setTimeout(() => this.#refuse('No hello.'), HELLO_DEADLINE_MS);
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    socket.once('close', () => this.#closed());
    // A browser that is killed leaves a reset connection; it is closed, and that is all.
    socket.on('error', () => undefined);
  }

  drop(): void {
    this.#socket.terminate();
  }

  announce(channelId: string, arrival: Arrival): void {
    // A message that is not stored is sent now or never.
    const isStored = arrival.expiresAtMs > arrival.atMs;
    if (isStored) this.sendStored();
    else if (!this.#isHeld()) this.#notify(channelId, arrival);
  }

  /** Sends what waits, as far as the browser keeps up. */
  sendStored(): void {
    if (this.#isHeld()) return;
    for (const [channelId, endpoint] of this.#profile?.channels ?? []) {
      for (const arrival of this.#simulator.devices.view(endpoint).stored) {
        if (this.#unacknowledged.size >= MAX_UNACKNOWLEDGED) return;
        if (!this.#unacknowledged.has(arrival.id)) this.#notify(channelId, arrival);
      }
    }
  }

  #receive(text: string): void {
    this.#onFrame({ direction: 'in', uaid: this.#profile?.uaid ?? null, text });
    const frame = readClientFrame(text);
    if (frame === null) this.#refuse('Not a message of this protocol.');
    else if (frame.kind === 'hello') this.#greet(frame.uaid);
    else if (this.#profile === null) this.#refuse('No hello.');
    else this.#serve(frame, this.#profile);
  }

  #serve(frame: Exclude<ClientFrame, { kind: 'hello' }>, profile: Profile): void {
    switch (frame.kind) {
      case 'register':
        this.#register(profile, frame.channelId, frame.key);
        return;
      case 'unregister':
        this.#unregister(profile, frame.channelId);
        return;
      case 'ack':
        for (const update of frame.updates) this.#acknowledge(profile, update);
        this.sendStored();
        return;
      case 'ping':
        this.#send({});
        return;
      case 'nack':
      case 'broadcast_subscribe':
        return;
      default:
        return unreachable(frame);
    }
  }

  /** A browser that gets another uaid than it sent drops all of its subscriptions. */
  #greet(uaid: string | null): void {
    clearTimeout(this.#helloDeadline);
    const profile = this.#profiles.greet(uaid);
    profile.connection?.drop();
    profile.connection = this;
    this.#profile = profile;
    this.#send({
      messageType: 'hello',
      status: 200,
      uaid: profile.uaid,
      use_webpush: true,
      broadcasts: {},
    });
    this.sendStored();
  }

  #register(profile: Profile, channelId: string, key: string | null): void {
    const point = key === null ? null : readPublicPoint(key);
    if (!CHANNEL.test(channelId) || (key !== null && point === null)) {
      this.#send({ messageType: 'register', channelID: channelId, status: 400 });
      return;
    }
    const endpoint =
      profile.channels.get(channelId) ??
      this.#simulator.subscribe({
        applicationServerKey: point?.toString('base64url') ?? null,
        holder: {
          read: frameContent,
          receive: (_endpoint, arrival) => profile.connection?.announce(channelId, arrival),
        },
      });
    profile.channels.set(channelId, endpoint);
    // To the service a message is not there before the browser says so, connected or not.
    this.#simulator.devices.setOnline(endpoint, false);
    this.#send({
      messageType: 'register',
      status: 200,
      channelID: channelId,
      uaid: profile.uaid,
      pushEndpoint: endpoint,
    });
  }

  #unregister(profile: Profile, channelId: string): void {
    const endpoint = profile.channels.get(channelId);
    if (endpoint !== undefined) this.#simulator.unsubscribe(endpoint);
    profile.channels.delete(channelId);
    this.#send({ messageType: 'unregister', status: 200, channelID: channelId });
  }

  #acknowledge(profile: Profile, { channelId, version, code }: Acknowledgement): void {
    this.#unacknowledged.delete(version);
    const endpoint = profile.channels.get(channelId);
    if (endpoint === undefined) return;
    const { devices } = this.#simulator;
    if (code === ACCEPTED_CODE) devices.collect(endpoint, version);
    else devices.withdraw(endpoint, version);
  }

  #notify(channelId: string, { id, atMs, expiresAtMs, payload }: Arrival): void {
    this.#unacknowledged.add(id);
    this.#send({
      messageType: 'notification',
      channelID: channelId,
      version: id,
      ttl: Math.round((expiresAtMs - atMs) / 1000),
      ...(payload as Readonly<Record<string, unknown>>),
    });
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify(message);
    this.#onFrame({ direction: 'out', uaid: this.#profile?.uaid ?? null, text });
    this.#socket.send(text);
  }

  #refuse(why: string): void {
    this.#socket.close(POLICY_VIOLATION, why);
  }

  #closed(): void {
    clearTimeout(this.#helloDeadline);
    if (this.#profile?.connection === this) this.#profile.connection = null;
  }
}

/** The part of a notification frame that carries the message; an empty message has none. */
function frameContent({ body, contentEncoding }: EncryptedMessage) {
  if (body.length === 0) return {};
  return { data: body.toString('base64url'), headers: { encoding: contentEncoding } };
}
