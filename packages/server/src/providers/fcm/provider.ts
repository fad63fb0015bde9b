import assert from 'node:assert/strict';
import { RequestShape } from '@homing/h2';
import type { Http2Answer, Http2Pool, Http2Request, Http2Result } from '@homing/h2';
import type { Clock } from '../../domain/clock.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Push } from '../../domain/push.ts';
import { BearerToken } from '../bearer-token.ts';
import type { Verification } from '../../domain/verification.ts';
import { parseJsonObject } from '../json-object.ts';
import { outcomeOfCutOff, outcomeWithoutAnswer } from '../no-answer.ts';
import { problemOutcome } from '../payload-problem.ts';
import type { ProviderTokenStore } from '../provider-token-store.ts';
import { deliverEach } from '../provider.ts';
import type { HearOutcome, Provider, ProviderLimits, SendOptions } from '../provider.ts';
import type { HealingAction } from '../reason.ts';
import { ANSWER_TIMEOUT_MS, createFcmConnections, IN_FLIGHT } from './connection.ts';
import { untilAborted } from '../until-aborted.ts';
import { buildFcmRequest, FCM_PAYLOAD_BYTES, measureFcmPayload } from './payload.ts';
import { classifyRefusal } from './reasons.ts';
import type { FcmRefusal } from './reasons.ts';
import { FCM_ENDPOINTS } from './settings.ts';
import type { FcmEndpoints, FcmSettings } from './settings.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { verifyFcm } from './verify.ts';

export interface FcmProviderOptions {
  readonly settings: FcmSettings;
  /** Google's own unless given. */
  readonly endpoints?: FcmEndpoints;
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
  /** How long one request may wait for its answer before its outcome is `unknown`. */
  readonly answerTimeoutMs?: number;
}

/** Google's token endpoint answers in well under a second; nobody waits for it longer than this. */
const TOKEN_TIMEOUT_MS = 10_000;

/** Covers a new connection; nobody waits longer for the first word of a provider. */
const QUESTION_PATIENCE_MS = 10_000;

const MESSAGE = new RequestShape({ constants: { 'content-type': 'application/json' } });

/** The provider for one Firebase project. */
export function createFcmProvider(options: FcmProviderOptions): Provider {
  return new FcmProvider(options);
}

class FcmProvider implements Provider {
  readonly limits: ProviderLimits = {
    payloadBytes: FCM_PAYLOAD_BYTES,
    inFlight: IN_FLIGHT,
  };
  readonly #projectId: string;
  readonly #endpoints: FcmEndpoints;
  readonly #answerTimeoutMs: number;
  readonly #clock: Clock;
  readonly #endpoint: TokenEndpoint;
  readonly #token: BearerToken;
  readonly #connections: Http2Pool;

  constructor(options: FcmProviderOptions) {
    const { settings, endpoints = FCM_ENDPOINTS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const { tokens, clock } = options;
    this.#projectId = settings.projectId;
    this.#endpoints = endpoints;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#clock = clock;
    this.#endpoint = new TokenEndpoint(settings, endpoints, TOKEN_TIMEOUT_MS);
    this.#token = new BearerToken({ source: this.#endpoint, tokens, clock });
    this.#connections = createFcmConnections({
      endpoints,
      answerTimeoutMs,
      authorization: () => this.#token.authorization(),
    });
  }

  async prepare(signal: AbortSignal): Promise<Outcome | null> {
    const aborted = {
      kind: 'transient',
      code: 'aborted',
      status: null,
      retryAfterMs: null,
    } as const;
    return untilAborted(this.#token.ready(), signal, aborted);
  }

  measure(push: Push): number {
    return measureFcmPayload(push);
  }

  async send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void> {
    const obstacle = await this.#token.ready();
    if (obstacle !== null) {
      for (const place of pushes.keys()) hear(place, obstacle);
      return;
    }
    await deliverEach(pushes, (push) => this.#deliver(push, options), hear);
  }

  verify(signal: AbortSignal): Promise<Verification> {
    return verifyFcm({
      projectId: this.#projectId,
      clock: this.#clock,
      fetchToken: () => this.#endpoint.fetchToken(this.#clock()),
      ask: (accessToken, request) => this.#askOnce(accessToken, request, signal),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
    await this.#endpoint[Symbol.asyncDispose]();
  }

  /** Over a connection of its own: those of pushes carry the access token that is shared. */
  async #askOnce(
    accessToken: string,
    request: Http2Request,
    signal: AbortSignal,
  ): Promise<Http2Result> {
    await using connections = createFcmConnections({
      endpoints: this.#endpoints,
      answerTimeoutMs: this.#answerTimeoutMs,
      authorization: () => `Bearer ${accessToken}`,
    });
    const startBefore = performance.now() + QUESTION_PATIENCE_MS;
    return await connections.request(request, { startBefore, signal });
  }

  async #deliver(push: Push, options: SendOptions): Promise<Outcome> {
    const { address } = push;
    assert(address.provider === 'fcm', 'a push reaches the provider of its address');
    if (address.project !== this.#projectId) {
      return { kind: 'token_mismatch', code: 'project_not_configured', status: null };
    }
    const build = buildFcmRequest(push, this.#clock());
    if (build.kind === 'problem') return problemOutcome(build);

    const request: Http2Request = {
      shape: MESSAGE,
      path: `/v1/projects/${this.#projectId}/messages:send`,
      values: [],
      body: build.body,
    };
    const first = await this.#connections.request(request, options);
    const { action, outcome } = this.#judge(first);
    if (action === 'report' || first.kind !== 'answer') return outcome;
    if (!(await this.#healed(action, first))) return outcome;
    return this.#judge(await this.#connections.request(request, options)).outcome;
  }

  /** Does what the reason asks for; true when the push is worth a second try. */
  async #healed(action: HealingAction, answer: Http2Answer): Promise<boolean> {
    switch (action) {
      case 'reconnect':
        this.#connections.retire(answer.connection);
        return true;
      case 'renew_token':
        return this.#token.replace(answer.authorization);
      default:
        return action satisfies never;
    }
  }

  #judge(result: Http2Result): FcmRefusal {
    if (result.kind !== 'answer') {
      return { action: 'report', outcome: outcomeWithoutAnswer(result) };
    }
    if (result.status !== 200) {
      const cutOff = outcomeOfCutOff(result);
      if (cutOff !== null) return { action: 'report', outcome: cutOff };
      return classifyRefusal(result, this.#clock());
    }
    const name = parseJsonObject(result.body)?.['name'];
    // The status alone says that FCM took the message, even if its name got lost on the way.
    const providerId = typeof name === 'string' ? name : '';
    return { action: 'report', outcome: { kind: 'accepted', providerId } };
  }
}
