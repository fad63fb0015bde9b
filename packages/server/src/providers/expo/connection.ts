import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Pool } from 'undici';
import type { SendOptions } from '../provider.ts';
import { revealSecret } from '../secret-text.ts';
import { Exchange, type ExpoResult } from './exchange.ts';
import type { ExpoEndpoints } from './settings.ts';
import { Turns } from './turns.ts';

/** Expo's own SDK has no more under way at once ("Push notification limits"). */
const REQUESTS_AT_ONCE = 6;

/** Expo: "The maximum number of messages per request is 100". */
export const BATCH_PUSHES = 100;

/** How many pushes can be under way at once. */
export const IN_FLIGHT = REQUESTS_AT_ONCE * BATCH_PUSHES;

/**
 * A hundred tickets are made one by one, so an answer takes longer than that of APNs or FCM; a
 * process that stops has to see it all the same (`LIMITS.stopMs`).
 */
export const ANSWER_TIMEOUT_MS = 20_000;

/** Below this, packing costs more than it saves; the bound is that of Expo's own SDK. */
const PACKED_FROM_BYTES = 1024;

const packed = promisify(gzip);

export interface ExpoConnectionOptions {
  readonly endpoints: ExpoEndpoints;
  readonly answerTimeoutMs: number;
  readonly accessToken: KeyObject | null;
}

/** The connections to Expo: keep-alive HTTP/1.1, one request at a time on each. */
export class ExpoConnection implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #accessToken: KeyObject | null;
  readonly #turns = new Turns(REQUESTS_AT_ONCE);
  readonly #underWay = new Set<Promise<ExpoResult>>();
  #isClosing = false;

  constructor({ endpoints, answerTimeoutMs, accessToken }: ExpoConnectionOptions) {
    this.#accessToken = accessToken;
    this.#pool = new Pool(endpoints.api, {
      connections: REQUESTS_AT_ONCE,
      pipelining: 1,
      // With HTTP/2 all requests would share one connection, and its end.
      allowH2: false,
      connect: { timeout: 10_000, ...(endpoints.ca === null ? {} : { ca: endpoints.ca }) },
      keepAliveTimeout: 10_000,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
    });
  }

  /** Posts JSON, when it is its turn and while that is in time. Never rejects. */
  async post(path: string, json: string, options: SendOptions): Promise<ExpoResult> {
    const isPacked = json.length > PACKED_FROM_BYTES;
    const body = isPacked ? await packed(json) : Buffer.from(json);
    if (!(await this.#turns.take(options.startBefore, options.signal))) {
      const cause = options.signal.aborted ? 'aborted' : 'expired';
      return { kind: 'not_started', cause, detail: '' };
    }
    if (this.#isClosing) {
      this.#turns.giveBack();
      return { kind: 'not_started', cause: 'closed', detail: '' };
    }
    const exchange = new Exchange(options);
    const { result } = exchange;
    this.#underWay.add(result);
    try {
      const headers = this.#headers(isPacked);
      this.#pool.dispatch({ method: 'POST', path, headers, body }, exchange);
      return await result;
    } finally {
      this.#underWay.delete(result);
      this.#turns.giveBack();
    }
  }

  /** Waits for answers, and not for connections that are still being made for nobody. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#underWay);
    await this.#pool.destroy();
  }

  #headers(isPacked: boolean): Record<string, string> {
    const token = this.#accessToken === null ? null : revealSecret(this.#accessToken);
    return {
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'content-type': 'application/json',
      ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
  }
}
