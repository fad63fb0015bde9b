import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProvisionedApp } from '@homing/server';
import { kindAt, type Mix } from './mix.ts';
import {
  addressOf,
  checkInOf,
  enrolmentOf,
  installationIdOf,
  isLinkedAtFirst,
  secretOf,
  tokenOf,
  userIdOf,
} from '../site/population.ts';
import type { Signer } from '../site/signer.ts';
import { Walk } from './walk.ts';

export interface TrafficOptions {
  /** Installations that there are at the beginning. */
  readonly rows: number;
  readonly threads: number;
  readonly app: ProvisionedApp;
  readonly signer: Signer;
}

/** One request of a file: what it is about, and what it does. */
export interface PlannedRequest {
  readonly number: number;
  readonly kind: 'check_in' | 'refresh' | 'login' | 'logout' | 'enrolment';
}

/** The installations of one thread of the load; nobody else speaks for them. */
interface Share {
  /** Even numbers, which only check in, and odd ones, which change. */
  readonly quiet: Walk;
  readonly changing: Walk;
  step: number;
  plan: PlannedRequest[];
}

/** So many requests are written at once. */
const STEP_REQUESTS = 5_000;

/**
 * All phones together: remembers the sequence of each and whether somebody is signed in on it, and
 * writes what they send into files before a round, so that the load itself has nothing to compute.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #seqs: Uint32Array;
  readonly #linked: Uint8Array;
  readonly #shares: readonly Share[];
  #enrolled = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    const { rows, threads } = options;
    this.#seqs = new Uint32Array(rows).fill(1);
    this.#linked = Uint8Array.from({ length: rows }, (_, number) =>
      isLinkedAtFirst(number) ? 1 : 0,
    );
    const slots = Math.floor(rows / 2 / threads);
    const newShare = (): Share => ({
      quiet: new Walk(slots),
      changing: new Walk(slots),
      step: 0,
      plan: [],
    });
    this.#shares = Array.from({ length: threads }, newShare);
  }

  /** Writes `requests-0` and so on: the next `count` requests of each thread. */
  async write(directory: string, host: string, mix: Mix, count: number): Promise<void> {
    for (const [thread, share] of this.#shares.entries()) {
      await using file = await open(join(directory, `requests-${thread}`), 'w');
      share.plan = [];
      while (share.plan.length < count) {
        const batch = Math.min(STEP_REQUESTS, count - share.plan.length);
        const requests = Array.from({ length: batch }, () => this.#next(thread, share, host, mix));
        await file.write(requests.join(''));
      }
    }
  }

  /**
   * Takes back what was not sent after all, and returns what was. Sequences stay where they are: a
   * phone may skip some.
   */
  settle(consumed: readonly number[]): readonly PlannedRequest[] {
    return this.#shares.flatMap(({ plan }, thread) => {
      const taken = consumed[thread] ?? 0;
      for (const { number, kind } of plan.slice(taken)) {
        if (kind === 'login' || kind === 'logout') this.#toggleLink(number);
      }
      // wrk takes one request of its first thread to look at it, and never sends it.
      return plan.slice(thread === 0 ? 1 : 0, taken);
    });
  }

  #next(thread: number, share: Share, host: string, mix: Mix): string {
    const request = this.#choose(thread, share, mix);
    share.plan.push(request);
    share.step += 1;
    return framed(this.#render(request, host));
  }

  #choose(thread: number, share: Share, mix: Mix): PlannedRequest {
    // The first one may be lost to wrk's look; a check-in is no loss.
    const kind = share.plan.length === 0 ? 'check_in' : kindAt(mix, share.step);
    const numberOf = (slot: number, parity: number): number =>
      2 * (slot * this.#options.threads + thread) + parity;
    switch (kind) {
      case 'check_in':
        return { kind, number: numberOf(share.quiet.next(), 0) };
      case 'refresh':
        return { kind, number: numberOf(share.changing.next(), 1) };
      case 'session': {
        const number = numberOf(share.changing.next(), 1);
        const wasLinked = this.#linked[number] === 1;
        this.#toggleLink(number);
        return { kind: wasLinked ? 'logout' : 'login', number };
      }
      case 'enrolment':
        this.#enrolled += 1;
        return { kind, number: this.#options.rows + this.#enrolled };
    }
  }

  #render({ kind, number }: PlannedRequest, host: string): string {
    const id = installationIdOf(number);
    const put = (packet: object): string =>
      this.#request('PUT', `/v1/installations/${id}`, number, host, JSON.stringify(packet));
    switch (kind) {
      case 'check_in':
        return put(checkInOf(number));
      case 'enrolment':
        return put(enrolmentOf(number));
      case 'refresh': {
        const seq = this.#nextSeq(number);
        return put({ seq, token: tokenOf(number, seq) });
      }
      case 'login': {
        const [seq, userId] = [this.#nextSeq(number), userIdOf(number)];
        const { app, signer } = this.#options;
        const jti = `${number}-${seq}`;
        const assertion = signer.sign({ audience: app.id, userId, installationId: id, jti });
        return put({ seq, user: { id: userId, assertion } });
      }
      case 'logout': {
        const path = `/v1/installations/${id}/user?seq=${this.#nextSeq(number)}`;
        return this.#request('DELETE', path, number, host, '');
      }
    }
  }

  /** Everything in it is ASCII, so that characters are bytes. */
  #request(method: string, path: string, number: number, host: string, body: string): string {
    const content =
      body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`];
    const head = [
      `${method} ${path} HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${this.#options.app.publishableKey}`,
      `Homing-Installation-Secret: ${secretOf(number)}`,
      `X-Forwarded-For: ${addressOf(number)}`,
      ...content,
    ];
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  }

  #nextSeq(number: number): number {
    const seq = (this.#seqs[number] ?? 0) + 1;
    this.#seqs[number] = seq;
    return seq;
  }

  #toggleLink(number: number): void {
    this.#linked[number] = this.#linked[number] === 1 ? 0 : 1;
  }
}

/** The form that `wrk.lua` reads. */
function framed(request: string): string {
  return String(request.length).padStart(6, '0') + request;
}
