import { randomUUID } from 'node:crypto';
import assert from 'node:assert/strict';
import { withRetryAfter } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { DeviceBook } from '../device-book.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { AnswerFault } from '../fault.ts';
import { SentinelTokens } from '../sentinel-tokens.ts';
import type { Result, Service, ServiceRequest } from '../service.ts';
import type { Arrival } from '../shelf.ts';
import { defaultWebPushKnobs } from './knobs.ts';
import type { WebPushKnobs } from './knobs.ts';
import type { Personality } from './personality.ts';
import { isWebPushProblem } from './problem.ts';
import type { WebPushProblem } from './problem.ts';
import {
  findProblem,
  readWebPushRequest,
  ttlSecondsOf,
  WEB_PUSH_BODY_LIMIT_BYTES,
} from './request.ts';
import type { WebPushRequest } from './request.ts';
import { WEB_PUSH_SENTINELS, webPushSentinelPrefix } from './sentinel-tokens.ts';
import type { Subscription, SubscriptionRequest } from './subscription.ts';
import { PROBLEM_OF_STATE } from './subscription-states.ts';
import type { WebPushSubscriptionState } from './subscription-states.ts';
import { VapidCredentials } from './vapid.ts';

/** The part of the simulator's options that decides about requests. */
export interface WebPushServiceOptions {
  /** `accept_all` (the default) takes any well-formed endpoint for live, `validating` its own. */
  readonly mode?: 'validating' | 'accept_all';
  readonly knobs?: Partial<WebPushKnobs>;
}

const MESSAGE_PATH = /^\/m\/([A-Za-z0-9-]+)$/;
const MAX_STORED = 100;
// Messages beyond this number can no longer be withdrawn by the address that their answer named.
const MAX_REMEMBERED_MESSAGES = 10_000;

/** What makes a simulator a Web Push service; the personality says whose. */
export class WebPushService implements Service {
  readonly provider = 'webpush';
  readonly environment = null;
  readonly bodyLimitBytes = WEB_PUSH_BODY_LIMIT_BYTES;
  readonly devices: DeviceBook<WebPushSubscriptionState>;
  readonly knobs: WebPushKnobs;
  /** With which every endpoint begins; the port is known only when the simulator listens. */
  origin = '';
  readonly #personality: Personality;
  readonly #acceptsUnknown: boolean;
  readonly #clock: () => number;
  readonly #credentials = new VapidCredentials();
  readonly #sentinels = new SentinelTokens(WEB_PUSH_SENTINELS, webPushSentinelPrefix);
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #endpointByMessageId = new Map<string, string>();

  constructor(personality: Personality, options: WebPushServiceOptions, clock: () => number) {
    this.knobs = { ...defaultWebPushKnobs(), ...options.knobs };
    this.#personality = personality;
    this.#clock = clock;
    this.#acceptsUnknown = options.mode !== 'validating';
    this.devices = new DeviceBook({ normalize: (token) => token, maxStored: MAX_STORED, clock });
  }

  /** Makes a subscription and returns its endpoint. */
  subscribe(request: SubscriptionRequest): string {
    const id = this.#personality.newId(request.sentinel ?? '');
    const endpoint = this.origin + this.#personality.pathOf(id);
    this.#subscriptions.set(endpoint, { ...request, subscribedAtMs: this.#clock() });
    return endpoint;
  }

  /** From now on pushes to it are answered as gone. */
  unsubscribe(endpoint: string): void {
    this.#subscriptions.delete(endpoint);
    this.devices.set(endpoint, { kind: 'unsubscribed' });
  }

  read(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const isWithdrawal = exchange.method === 'DELETE' && MESSAGE_PATH.test(exchange.path);
    return isWithdrawal && this.#personality.withdrawsMessages
      ? this.#readWithdrawal(exchange)
      : this.#readPush(exchange, body);
  }

  /** RFC 8030 section 7.2: the message's resource was handed out in `Location`. */
  #readWithdrawal({ path }: Exchange): ServiceRequest {
    const [, messageId = ''] = MESSAGE_PATH.exec(path) ?? [];
    return {
      isPush: false,
      token: null,
      body: null,
      sentinelFault: () => null,
      examine: () => null,
      fulfil: () => ({ answer: this.#withdraw(messageId), accepted: false, providerId: messageId }),
      render: (fault) => this.#render(fault),
    };
  }

  #readPush(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const request = readWebPushRequest(exchange, body, {
      personality: this.#personality,
      origin: this.origin,
      nowMs: this.#clock(),
      readVapid: (authorization) => this.#credentials.read(authorization),
    });
    const { subscriptionId: id } = request;
    const endpoint = id === null ? null : this.origin + request.path;
    const subscription = this.#subscriptions.get(endpoint ?? '') ?? null;
    const content = subscription?.holder.read(request) ?? null;
    return {
      isPush: true,
      token: endpoint,
      body: content,
      sentinelFault: () => (id === null ? null : this.#sentinels.takeFault(id)),
      examine: () => this.#refuse(findProblem(request, this.#personality)),
      fulfil: () => this.#fulfil(request, subscription, content),
      render: (fault) => this.#render(fault),
    };
  }

  #fulfil(request: WebPushRequest, subscription: Subscription | null, content: unknown): Result {
    const { subscriptionId: id, nowMs } = request;
    assert(id !== null, 'Only examined requests are fulfilled.');
    const endpoint = this.origin + request.path;
    const { problem, retryAfterSeconds } = this.#stateProblem(endpoint, id, request, subscription);
    const refused = this.#refuse(problem, retryAfterSeconds);
    if (refused !== null) return { answer: refused, accepted: false, providerId: null };
    const askedTtlSeconds = ttlSecondsOf(request);
    const ttlSeconds = Math.min(
      askedTtlSeconds,
      this.knobs.maxTtlSeconds ?? this.#personality.maxTtlSeconds,
    );
    const arrival: Arrival = {
      id: randomUUID(),
      atMs: nowMs,
      expiresAtMs: nowMs + ttlSeconds * 1000,
      storageKey: request.topic,
      displayKey: null,
      payload: content,
    };
    this.devices.receive(endpoint, arrival);
    this.#rememberMessage(arrival.id, endpoint);
    subscription?.holder.receive(endpoint, arrival);
    const message = { id: arrival.id, origin: this.origin, askedTtlSeconds, ttlSeconds };
    const answer = this.#personality.acceptance(message);
    return { answer, accepted: true, providerId: arrival.id };
  }

  /** What was set wins over what the id says, and that over what is known of the subscription. */
  #stateProblem(
    endpoint: string,
    id: string,
    { vapid, nowMs }: WebPushRequest,
    subscription: Subscription | null,
  ): { readonly problem: WebPushProblem | null; readonly retryAfterSeconds?: number } {
    const claimed = this.devices.get(endpoint) ?? this.#sentinels.stateOf(id, nowMs);
    if (claimed !== null && claimed.kind !== 'live') {
      return { ...claimed, problem: PROBLEM_OF_STATE[claimed.kind] };
    }
    if (subscription === null) {
      const isTaken = claimed !== null || this.#acceptsUnknown;
      return { problem: isTaken ? null : 'unknown_subscription' };
    }
    const { applicationServerKey: key, subscribedAtMs } = subscription;
    if (nowMs - subscribedAtMs < this.knobs.goneForMs) return { problem: 'gone' };
    const isOwnKey = typeof vapid !== 'string' && (key === null || key === vapid.key);
    return { problem: isOwnKey ? null : 'key_mismatch' };
  }

  #refuse(problem: WebPushProblem | null, retryAfterSeconds?: number): Answer | null {
    if (problem === null) return null;
    return withRetryAfter(this.#personality.refusals[problem], retryAfterSeconds);
  }

  /** A fault may name one of our problems, or a status and a code of the service's own. */
  #render({ status, reason, retryAfterSeconds }: AnswerFault): Answer {
    const answer = isWebPushProblem(reason)
      ? this.#personality.refusals[reason]
      : this.#personality.scripted(status, reason);
    const isRedirect = answer.status >= 300 && answer.status < 400;
    const elsewhere = isRedirect ? { location: `${this.origin}/redirected` } : {};
    const headers = { ...answer.headers, ...elsewhere };
    return withRetryAfter({ ...answer, headers }, retryAfterSeconds);
  }

  #withdraw(messageId: string): Answer {
    const endpoint = this.#endpointByMessageId.get(messageId) ?? '';
    const isWithdrawn = this.devices.withdraw(endpoint, messageId);
    return { status: isWithdrawn ? 204 : 404, reason: null, headers: {}, body: '' };
  }

  #rememberMessage(messageId: string, endpoint: string): void {
    if (!this.#personality.withdrawsMessages) return;
    this.#endpointByMessageId.set(messageId, endpoint);
    const [oldest] = this.#endpointByMessageId.keys();
    const isFull = this.#endpointByMessageId.size > MAX_REMEMBERED_MESSAGES;
    if (isFull && oldest !== undefined) this.#endpointByMessageId.delete(oldest);
  }
}
