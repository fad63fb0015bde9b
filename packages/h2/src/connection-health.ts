export interface ConnectionHealthOptions {
  /** From the first packet until the peer's SETTINGS. */
  readonly connectTimeoutMs: number;
  /** A connection that was silent for so long has to answer a PING. */
  readonly pingAfterMs: number;
  readonly pingTimeoutMs: number;
  /**
   * So many PINGs may follow each other without a request in between: FCM's front ends end a
   * connection that sends a third one (`too_many_pings`).
   */
  readonly maxIdlePings: number;
  /** A connection without a request for so long is closed. */
  readonly idleTimeoutMs: number;
  /** An older connection takes no new requests, so that load follows the provider's DNS. */
  readonly maxAgeMs: number;
  /** So many answers in a row that did not come in time, and the connection is replaced. */
  readonly maxTimeouts: number;
}

/** What a connection does for its health. */
export interface PatientConnection {
  openStreams(): number;
  ping(opaque: Buffer): void;
  /** Gives up what has waited too long; returns how much that was. */
  expire(now: number): number;
  /** A PING had gone unanswered, and now something has come. */
  revive(): void;
  drain(): void;
  destroy(failure: string): void;
}

/** How often deadlines are looked at, which is how much later than promised they may end. */
const LOOK_EVERY_MS = 50;

/** A connection with open streams that has said nothing for so long may be dead. */
const SILENCE_MS = 2_000;

/**
 * Fewer than FCM's front ends take before they end a connection (`too_many_pings`), counted from
 * the last request on; what matters is that no request is put on a dead route.
 */
const MAX_SILENCE_PINGS = 2;

/** How long a peer may take to read the last thing that we say. */
const END_TIMEOUT_MS = 1_000;

/**
 * Watches a connection by the clock: the handshake, deadlines of answers, silence, idleness, age. A
 * dead route says nothing by itself; and some providers' connections stay up, answer PINGs, and
 * never answer requests again.
 */
export class ConnectionHealth {
  readonly #options: ConnectionHealthOptions;
  readonly #connection: PatientConnection;
  readonly #madeAt = performance.now();
  /** Of the handshake, and later of the end. */
  #limitTimer: NodeJS.Timeout;
  readonly #timer: NodeJS.Timeout;
  #isOpen = false;
  #usedAt = this.#madeAt;
  #heardAt = this.#madeAt;
  /** When the peer last spoke, or was asked something after it had nothing to say. */
  #silentSince = this.#madeAt;
  #silencePings = 0;
  #isDoubtful = false;
  #pings = 0;
  #idlePings = 0;
  #timeouts = 0;
  #pingTimer: NodeJS.Timeout | null = null;

  constructor(options: ConnectionHealthOptions, connection: PatientConnection) {
    this.#options = options;
    this.#connection = connection;
    this.#limitTimer = setTimeout(
      () => connection.destroy('ETIMEDOUT'),
      options.connectTimeoutMs,
    ).unref();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  get ageMs(): number {
    return performance.now() - this.#madeAt;
  }

  /** Whether nothing has come since a PING went out: no request should follow it. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  opened(): void {
    clearTimeout(this.#limitTimer);
    this.#isOpen = true;
  }

  /** The last frame is written; a peer that does not take it is not waited for. */
  ending(): void {
    clearTimeout(this.#limitTimer);
    const destroy = (): void => this.#connection.destroy('ETIMEDOUT');
    this.#limitTimer = setTimeout(destroy, END_TIMEOUT_MS).unref();
  }

  /** A request goes out; returns the time. */
  use(): number {
    this.#usedAt = performance.now();
    this.#idlePings = 0;
    this.#silencePings = 0;
    if (this.#connection.openStreams() === 0) this.#silentSince = this.#usedAt;
    return this.#usedAt;
  }

  /** Something came, whatever it was. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#silentSince = this.#heardAt;
    if (!this.#isDoubtful) return;
    this.#isDoubtful = false;
    this.#connection.revive();
  }

  /** An answer came in time. */
  answered(): void {
    this.#timeouts = 0;
  }

  /** The peer's answer to a PING, which only counts if it is the one we wait for. */
  pong(opaque: Buffer): void {
    if (opaque.readUInt32BE(4) !== this.#pings || this.#pingTimer === null) return;
    clearTimeout(this.#pingTimer);
    this.#pingTimer = null;
  }

  stop(): void {
    clearTimeout(this.#limitTimer);
    clearInterval(this.#timer);
    if (this.#pingTimer !== null) clearTimeout(this.#pingTimer);
  }

  #look(): void {
    const now = performance.now();
    const streams = this.#connection.openStreams();
    if (streams > 0) this.#expire(now);
    if (!this.#isOpen) return;
    const { pingAfterMs, maxIdlePings, idleTimeoutMs, maxAgeMs } = this.#options;
    const isSilent = now - this.#heardAt >= pingAfterMs;
    if (isSilent && (streams > 0 || this.#idlePings < maxIdlePings)) this.#ping(streams);
    if (streams > 0) this.#doubt(now);
    const isIdle = streams === 0 && now - this.#usedAt >= idleTimeoutMs;
    if (isIdle || this.ageMs >= maxAgeMs) this.#connection.drain();
  }

  #expire(now: number): void {
    const late = this.#connection.expire(now);
    if (late === 0) return;
    this.#timeouts += late;
    // One slow answer says little; a connection that does not even answer a PING is dead.
    this.#ping(1);
    if (this.#timeouts >= this.#options.maxTimeouts) this.#connection.drain();
  }

  #doubt(now: number): void {
    if (now - this.#silentSince < SILENCE_MS || this.#pingTimer !== null) return;
    if (this.#silencePings === MAX_SILENCE_PINGS) return;
    this.#silencePings += 1;
    this.#ping(1);
  }

  /** One at a time: the one that is under way asks the same question. */
  #ping(streams: number): void {
    if (this.#pingTimer !== null) return;
    this.#pings += 1;
    if (streams === 0) this.#idlePings += 1;
    const opaque = Buffer.alloc(8);
    opaque.writeUInt32BE(this.#pings, 4);
    this.#connection.ping(opaque);
    this.#isDoubtful = true;
    this.#pingTimer = setTimeout(
      () => this.#connection.destroy('PING_TIMEOUT'),
      this.#options.pingTimeoutMs,
    ).unref();
  }
}
