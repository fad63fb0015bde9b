import assert from 'node:assert/strict';
import type { Http2Request, Http2Result } from '@homing/h2';
import type { WebPushAddress } from '../../domain/address.ts';
import type { Clock } from '../../domain/clock.ts';
import type { AllowedHosts } from '../../domain/outbound-url.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { judgeEndpoint, type PushEndpoint } from '../../domain/push-service.ts';
import type { Push } from '../../domain/push.ts';
import { readAuthSecret, readPoint } from '../../domain/web-push-keys.ts';
import { resolveAll, type Resolve } from '../../outbound/public-lookup.ts';
import { problemOutcome } from '../payload-problem.ts';
import { deliverEach } from '../provider.ts';
import type { HearOutcome, Provider, ProviderLimits, SendOptions } from '../provider.ts';
import type { EncryptionPool } from './encryption-pool.ts';
import { judgeAnswer } from './judge-answer.ts';
import type { PlainMessage } from './message-encryption.ts';
import { outOfReach } from './out-of-reach.ts';
import { paddedBytesOf, WEB_PUSH_PAYLOAD_BYTES } from './padding.ts';
import { buildWebPush, measureWebPush, type WebPushBuild } from './payload.ts';
import { RefusalStreak } from './refusal-streak.ts';
import { shapeOf } from './request-shape.ts';
import { ServiceRoutes } from './service-routes.ts';
import type { WebPushReach, WebPushSettings } from './settings.ts';
import { VapidToken } from './vapid-token.ts';

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

/** A push that can be encrypted and sent. */
interface ReadyPush {
  readonly plain: Extract<WebPushBuild, { readonly kind: 'plain' }>;
  readonly endpoint: PushEndpoint;
  readonly message: PlainMessage;
}

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
  readonly #streak = new RefusalStreak();

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
    const made = new Map(pushes.map((push) => [push, this.#makeReady(push)] as const));
    const ready = [...made.values()].filter((one) => 'plain' in one);
    const bodies = await this.#encrypt(ready, options.startBefore);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#routes[Symbol.asyncDispose]();
    await this.#threads[Symbol.asyncDispose]();
  }

  /** What can be known before anything is encrypted. */
  #makeReady(push: Push): ReadyPush | Outcome {
    const { address } = push;
    assert(address.provider === 'webpush', 'a push reaches the provider of its address');
    // A push service would say the same of any other key, and hold it against ours.
    if (address.vapidKeyId !== this.#publicKey) return OTHER_KEY;
    const endpoint = judgeEndpoint(address.token, this.#ownHosts);
    if (endpoint.kind === 'dead') return REMOVED;
    if (endpoint.kind === 'refused') return NOT_ALLOWED;
    const plain = buildWebPush(push, this.#clock());
    if (plain.kind === 'problem') return problemOutcome(plain);
    const message = messageFor(address, plain.plaintext);
    return message === null ? UNREADABLE : { plain, endpoint, message };
  }

  /** Null when there was no time for it. */
  async #encrypt(
    ready: readonly ReadyPush[],
    startBefore: number,
  ): Promise<ReadonlyMap<ReadyPush, Buffer | null> | null> {
    const messages = ready.map(({ message }) => message);
    const bodies = await this.#encryption.encrypt(messages, startBefore);
    if (bodies === null) return null;
    return new Map(ready.map((one, index) => [one, bodies[index] ?? null]));
  }

  async #deliver(
    push: Push,
    { plain, endpoint }: ReadyPush,
    body: Buffer,
    options: SendOptions,
  ): Promise<Outcome> {
    const { origin, path, service } = endpoint;
    const { ttlSeconds, urgency, topic } = plain;
    const cachePolicy = service !== 'wns' ? null : ttlSeconds === 0 ? 'no-cache' : 'cache';
    const shape = shapeOf(urgency, cachePolicy);
    const request: Http2Request = { shape, path, values: [String(ttlSeconds), topic], body };
    const result = await this.#routes.use(origin, (route) => route.request(request, options));
    const outcome = this.#judge(push, endpoint, result);
    return this.#streak.weigh(outcome, origin, push.address.token);
  }

  #judge(push: Push, { service }: PushEndpoint, result: Http2Result): Outcome {
    if (result.kind !== 'answer') return outOfReach(result);
    return judgeAnswer(result, { service, pushId: push.id, now: this.#clock() });
  }
}

const REMOVED: Outcome = {
  kind: 'token_dead',
  code: 'permanently-removed.invalid',
  status: null,
  since: null,
};

/** It was allowed when it was registered, so a person may want to allow it again. */
const NOT_ALLOWED: Outcome = { kind: 'unclassified', code: 'endpoint_not_allowed', status: null };

const OTHER_KEY: Outcome = { kind: 'token_mismatch', code: 'key_not_configured', status: null };

/** Its browser could not read what is encrypted for it. */
const UNREADABLE: Outcome = { kind: 'token_mismatch', code: 'unusable_keys', status: null };

function messageFor(address: WebPushAddress, plaintext: Buffer): PlainMessage | null {
  const [p256dh, auth] = [readPoint(address.p256dh), readAuthSecret(address.auth)];
  if (p256dh === null || auth === null) return null;
  return { plaintext, paddedBytes: paddedBytesOf(plaintext.length), p256dh, auth };
}
