import assert from 'node:assert/strict';
import type { Http2Result } from '@homing/h2';
import type { Clock } from '../../domain/clock.ts';
import type { AllowedHosts } from '../../domain/outbound-url.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { PushEndpoint } from '../../domain/push-service.ts';
import type { Push } from '../../domain/push.ts';
import type { Verification } from '../../domain/verification.ts';
import { resolveAll, type Resolve } from '../../outbound/public-lookup.ts';
import { deliverEach } from '../provider.ts';
import type { HearOutcome, Provider, ProviderLimits, SendOptions } from '../provider.ts';
import type { EncryptionPool } from './encryption-pool.ts';
import { judgeAnswer } from './judge-answer.ts';
import { outOfReach } from './out-of-reach.ts';
import { WEB_PUSH_PAYLOAD_BYTES } from './padding.ts';
import { measureWebPush } from './payload.ts';
import { makeReady, toRequest, UNREADABLE, type ReadyPush } from './ready-push.ts';
import { ServiceRoutes } from './service-routes.ts';
import type { WebPushReach, WebPushSettings } from './settings.ts';
import { VapidToken } from './vapid-token.ts';
import { verifyWebPush } from './verify.ts';

export interface WebPushProviderOptions {
  readonly settings: WebPushSettings;
  readonly reach: WebPushReach;
  readonly clock: Clock;
  /** Shared by all credentials. */
  readonly encryption: EncryptionPool;
  /** Default: as the system does. */
  readonly resolve?: Resolve;
  /** How long one request may wait for its answer before its outcome is `unknown`. */
  readonly answerTimeoutMs?: number;
}

/** Push services answer in well under a second. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Over all hosts; of one, its route bounds how many. */
const IN_FLIGHT = 400;

/** The provider for one VAPID key, to the push services of all browsers. */
export function createWebPushProvider(options: WebPushProviderOptions): Provider {
  return new WebPushProvider(options);
}

class WebPushProvider implements Provider {
  readonly limits: ProviderLimits = {
    payloadBytes: WEB_PUSH_PAYLOAD_BYTES,
    inFlight: IN_FLIGHT,
  };
  readonly #publicKey: string;
  readonly #ownHosts: AllowedHosts;
  readonly #clock: Clock;
  readonly #encryption: EncryptionPool;
  readonly #threads: AsyncDisposable;
  readonly #routes: ServiceRoutes;

  constructor(options: WebPushProviderOptions) {
    const { settings, reach, clock, encryption } = options;
    const { resolve = resolveAll, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    this.#publicKey = settings.publicKey;
    this.#ownHosts = new Set(reach.hosts);
    this.#clock = clock;
    this.#encryption = encryption;
    this.#threads = encryption.hold();
    const routes = { ownHosts: this.#ownHosts, ca: reach.ca, resolve, answerTimeoutMs };
    this.#routes = new ServiceRoutes(routes, (origin) => {
      const token = new VapidToken(settings, origin, clock);
      return () => token.authorization();
    });
  }

  /** Tokens are signed here, and take no time to speak of. */
  async prepare(): Promise<null> {
    return null;
  }

  measure(push: Push): number {
    return measureWebPush(push);
  }

  async send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void> {
    const around = { publicKey: this.#publicKey, ownHosts: this.#ownHosts, now: this.#clock() };
    const made = new Map(pushes.map((push) => [push, makeReady(push, around)] as const));
    const ready = [...made.values()].filter((one) => 'plain' in one);
    const bodies = await this.#encrypt(ready, options);
    const deliver = async (push: Push): Promise<Outcome> => {
      const one = made.get(push);
      assert(one !== undefined);
      if (!('plain' in one)) return one;
      if (bodies === null) return { kind: 'not_started' };
      const body = bodies.get(one) ?? null;
      return body === null ? UNREADABLE : this.#deliver(push, one, body, options);
    };
    await deliverEach(pushes, deliver, hear);
  }

  async verify(): Promise<Verification> {
    return verifyWebPush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#routes[Symbol.asyncDispose]();
    await this.#threads[Symbol.asyncDispose]();
  }

  /** Null when there was no time for it, or when it was called off. */
  async #encrypt(
    ready: readonly ReadyPush[],
    options: SendOptions,
  ): Promise<ReadonlyMap<ReadyPush, Buffer | null> | null> {
    const messages = ready.map(({ message }) => message);
    const bodies = await this.#encryption.encrypt(messages, options);
    if (bodies === null) return null;
    return new Map(ready.map((one, index) => [one, bodies[index] ?? null]));
  }

  async #deliver(push: Push, one: ReadyPush, body: Buffer, options: SendOptions): Promise<Outcome> {
    const { endpoint } = one;
    const request = toRequest(one, body);
    return this.#routes.use(endpoint.origin, async (route, streak) => {
      const outcome = this.#judge(push, endpoint, await route.request(request, options));
      return streak.weigh(outcome, push.address.token, this.#clock());
    });
  }

  #judge(push: Push, { service }: PushEndpoint, result: Http2Result): Outcome {
    if (result.kind !== 'answer') return outOfReach(result);
    return judgeAnswer(result, { service, pushId: push.id, now: this.#clock() });
  }
}
