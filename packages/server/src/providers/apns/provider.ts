import assert from 'node:assert/strict';
import { fieldValue } from '@homing/h2';
import type { Http2Answer, Http2Pool, Http2Result } from '@homing/h2';
import type { ApnsEnvironment } from '../../domain/address.ts';
import type { Clock } from '../../domain/clock.ts';
import { mayHaveBeenTaken, type Outcome } from '../../domain/outcome.ts';
import type { Push } from '../../domain/push.ts';
import type { Verification } from '../../domain/verification.ts';
import { findingOf, SHARED_FINDINGS, verificationOf } from '../finding.ts';
import { outcomeOfCutOff, outcomeWithoutAnswer } from '../no-answer.ts';
import { problemOutcome } from '../payload-problem.ts';
import type { ProviderTokenStore } from '../provider-token-store.ts';
import type { HealingAction } from '../reason.ts';
import { deliverEach } from '../provider.ts';
import type { HearOutcome, Provider, ProviderLimits, SendOptions } from '../provider.ts';
import {
  ANSWER_TIMEOUT_MS,
  createApnsConnections,
  MAX_CONNECTIONS,
  MAX_STREAMS,
} from './connection.ts';
import { APNS_PAYLOAD_BYTES, buildApnsRequest, measureApnsPayload } from './payload.ts';
import { findOutOfReach } from './out-of-reach.ts';
import { ApnsProviderToken, NEVER_RENEW_BEFORE_MS } from './provider-token.ts';
import { classifyRefusal } from './reasons.ts';
import type { ApnsRefusal } from './reasons.ts';
import { APNS_ENDPOINTS } from './settings.ts';
import type { ApnsEndpoints, ApnsSettings } from './settings.ts';
import { verifyApns } from './verify.ts';

export interface ApnsProviderOptions {
  readonly settings: ApnsSettings;
  /** Apple's own unless given. */
  readonly endpoints?: ApnsEndpoints;
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
  /** How long one request may wait for its answer before its outcome is `unknown`. */
  readonly answerTimeoutMs?: number;
}

type Ask = Parameters<typeof verifyApns>[0]['ask'];

/** Covers a new connection; nobody waits longer for the first word of a provider. */
const QUESTION_PATIENCE_MS = 10_000;

/** The provider for one APNs key or certificate. */
export function createApnsProvider(options: ApnsProviderOptions): Provider {
  return new ApnsProvider(options);
}

class ApnsProvider implements Provider {
  readonly limits: ProviderLimits = {
    payloadBytes: APNS_PAYLOAD_BYTES,
    inFlight: MAX_CONNECTIONS * MAX_STREAMS,
  };
  readonly #settings: ApnsSettings;
  readonly #clock: Clock;
  /** Null with a certificate, which authenticates the connection itself. */
  readonly #token: ApnsProviderToken | null;
  readonly #connections: Readonly<Record<ApnsEnvironment, Http2Pool>>;

  constructor(options: ApnsProviderOptions) {
    const { settings, endpoints = APNS_ENDPOINTS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    this.#settings = settings;
    this.#clock = options.clock;
    const { authentication } = settings;
    const onChange = (previous: string): void => this.#retireYoungCarriers(previous);
    this.#token =
      authentication.kind === 'key'
        ? new ApnsProviderToken({ ...options, key: authentication, onChange })
        : null;
    // A pool opens nothing before its first request, so an unused environment costs nothing.
    const connect = (environment: ApnsEnvironment): Http2Pool =>
      createApnsConnections({
        environment,
        endpoints,
        answerTimeoutMs,
        certificate: authentication.kind === 'key' ? null : authentication,
        authorization: () => this.#token?.authorization() ?? '',
      });
    this.#connections = { production: connect('production'), sandbox: connect('sandbox') };
  }

  async prepare(): Promise<Outcome | null> {
    try {
      await this.#token?.current();
      return null;
    } catch {
      // The store is out of reach; APNs punishes signing without it, so the work waits.
      const code = 'provider_token_unavailable';
      return { kind: 'transient', code, status: null, retryAfterMs: null };
    }
  }

  measure(push: Push): number {
    return measureApnsPayload(push);
  }

  async send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void> {
    const obstacle = await this.prepare();
    if (obstacle !== null) {
      for (const place of pushes.keys()) hear(place, obstacle);
      return;
    }
    await deliverEach(pushes, (push) => this.#deliver(push, options), hear);
  }

  async verify(signal: AbortSignal): Promise<Verification> {
    const obstacle = await this.prepare();
    if (obstacle !== null) {
      const answer = 'code' in obstacle ? obstacle.code : null;
      const { provider_busy: row } = SHARED_FINDINGS;
      return verificationOf([findingOf('provider_busy', row, { answer })], null);
    }
    const ask: Ask = (environment, request) => {
      const startBefore = performance.now() + QUESTION_PATIENCE_MS;
      return this.#connections[environment].request(request, { startBefore, signal });
    };
    return verifyApns({ settings: this.#settings, clock: this.#clock, ask });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#connections.production[Symbol.asyncDispose](),
      this.#connections.sandbox[Symbol.asyncDispose](),
    ]);
  }

  /**
   * APNs counts changes of the token per connection: one that saw the old token lately counts two.
   */
  #retireYoungCarriers(authorization: string): void {
    for (const pool of Object.values(this.#connections)) {
      pool.retireCarriers(authorization, NEVER_RENEW_BEFORE_MS);
    }
  }

  async #deliver(push: Push, options: SendOptions): Promise<Outcome> {
    const { address } = push;
    assert(address.provider === 'apns', 'a push reaches the provider of its address');
    const outOfReach = findOutOfReach(this.#settings, address);
    if (outOfReach !== null) return outOfReach;
    const build = buildApnsRequest(push);
    if (build.kind === 'problem') return problemOutcome(build);

    const pool = this.#connections[address.environment];
    const first = await pool.request(build.request, options);
    const { action, outcome } = this.#judge(push, first);
    if (action === 'report' || first.kind !== 'answer') return outcome;
    if (!(await this.#healed(action, first, pool))) return outcome;
    // It may be out already: whether it is repeated, and that it was, is for the ledger to say.
    if (mayHaveBeenTaken(outcome)) return outcome;
    return this.#judge(push, await pool.request(build.request, options)).outcome;
  }

  /** Does what the reason asks for; true when the push is worth a second try. */
  async #healed(action: HealingAction, answer: Http2Answer, pool: Http2Pool): Promise<boolean> {
    switch (action) {
      case 'reconnect':
        pool.retire(answer.connection);
        return true;
      case 'renew_token': {
        const renewal = this.#token?.replace(answer.authorization) ?? Promise.resolve(false);
        const renewed = await renewal.catch(() => false);
        // APNs keeps refusing on a connection that has once carried an expired token.
        if (renewed) pool.retireCarriers(answer.authorization);
        return renewed;
      }
      default:
        return action satisfies never;
    }
  }

  #judge(push: Push, result: Http2Result): ApnsRefusal {
    if (result.kind !== 'answer') {
      return { action: 'report', outcome: outcomeWithoutAnswer(result) };
    }
    if (result.status !== 200) {
      const cutOff = outcomeOfCutOff(result);
      if (cutOff !== null) return { action: 'report', outcome: cutOff };
      return classifyRefusal(result, this.#clock());
    }
    const providerId = fieldValue(result.fields, 'apns-id') ?? push.id;
    return { action: 'report', outcome: { kind: 'accepted', providerId } };
  }
}
