import assert from 'node:assert/strict';
import type { HmsKind } from '../../domain/address.ts';
import type { Clock } from '../../domain/clock.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Push } from '../../domain/push.ts';
import type { Verification } from '../../domain/verification.ts';
import { BearerToken } from '../bearer-token.ts';
import { outcomeWithoutAnswer } from '../no-answer.ts';
import { problemOutcome } from '../payload-problem.ts';
import type { ProviderTokenStore } from '../provider-token-store.ts';
import type { HearOutcome, Provider, ProviderLimits, SendOptions } from '../provider.ts';
import { untilAborted } from '../until-aborted.ts';
import { CallBook, type Call } from './call.ts';
import { ANSWER_TIMEOUT_MS, HmsConnections, IN_FLIGHT, type HmsResult } from './connection.ts';
import { buildHmsContent, HMS_PAYLOAD_BYTES, measureHmsPayload, requestText } from './payload.ts';
import { readVerdict, type HmsVerdict } from './reasons.ts';
import { HMS_ENDPOINTS, type HmsEndpoints, type HmsSettings } from './settings.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { TokenSigner } from './token-signer.ts';
import { verifyHms, type HmsQuestion } from './verify.ts';

export interface HmsProviderOptions {
  readonly settings: HmsSettings;
  /** Huawei's own unless given. */
  readonly endpoints?: HmsEndpoints;
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
  /** How long one call may wait for its answer before its outcome is `unknown`. */
  readonly answerTimeoutMs?: number;
}

/** Huawei's token endpoint may take seconds; nobody waits for it longer than this. */
const TOKEN_TIMEOUT_MS = 10_000;

/** Covers a new connection; nobody waits longer for the first word of a provider. */
const QUESTION_PATIENCE_MS = 10_000;

/** The provider for one app, or for one project, at Push Kit. */
export function createHmsProvider(options: HmsProviderOptions): Provider {
  return new HmsProvider(options);
}

class HmsProvider implements Provider {
  readonly limits: ProviderLimits = { payloadBytes: HMS_PAYLOAD_BYTES, inFlight: IN_FLIGHT };
  readonly #settings: HmsSettings;
  readonly #clock: Clock;
  readonly #source: TokenEndpoint | TokenSigner;
  readonly #token: BearerToken;
  readonly #connections: HmsConnections;
  readonly #owned = new AsyncDisposableStack();
  /** When Push Kit last took a message for a token of this kind, in this process. */
  readonly #takenAtMs = new Map<HmsKind, number>();

  constructor(options: HmsProviderOptions) {
    const { settings, endpoints = HMS_ENDPOINTS, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    const { tokens, clock } = options;
    this.#settings = settings;
    this.#clock = clock;
    this.#source =
      settings.kind === 'client'
        ? this.#owned.use(new TokenEndpoint(settings, endpoints, TOKEN_TIMEOUT_MS))
        : new TokenSigner(settings);
    this.#token = new BearerToken({ source: this.#source, tokens, clock });
    this.#connections = this.#owned.use(new HmsConnections(endpoints, answerTimeoutMs));
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
    return measureHmsPayload(push);
  }

  async send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void> {
    const obstacle = await this.#token.ready();
    if (obstacle !== null) {
      for (const place of pushes.keys()) hear(place, obstacle);
      return;
    }
    const calls = this.#callsFor(pushes, hear);
    const made = await Promise.allSettled(
      calls.map(async (call) => this.#conclude(call, await this.#make(call, options), hear)),
    );
    const failed = made.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  verify(signal: AbortSignal): Promise<Verification> {
    return verifyHms({
      settings: this.#settings,
      clock: this.#clock,
      fetchToken: () => this.#source.fetchToken(this.#clock()),
      ask: (accessToken, question) => this.#ask(`Bearer ${accessToken}`, question, signal),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  /** The calls that take these pushes; those that cannot be sent are heard of at once. */
  #callsFor(pushes: readonly Push[], hear: HearOutcome): readonly Call[] {
    const book = new CallBook();
    const now = this.#clock();
    for (const [place, push] of pushes.entries()) {
      const { address } = push;
      assert(address.provider === 'hms', 'a push reaches the provider of its address');
      const { kinds } = this.#settings;
      if (!kinds.includes(address.kind)) {
        hear(place, { kind: 'token_mismatch', code: 'kind_not_configured', status: null });
        continue;
      }
      const content = buildHmsContent(push, now, this.#settings);
      if (content.kind === 'problem') hear(place, problemOutcome(content));
      else book.add(content, { place, token: address.token });
    }
    return book.calls;
  }

  /** Makes a call, and once more if another access token may help. */
  async #make(call: Call, options: SendOptions): Promise<HmsVerdict> {
    const authorization = this.#token.authorization();
    const first = this.#judge(call, await this.#request(call, authorization, options));
    if (first.kind === 'taken' || first.action !== 'renew_token') return first;
    if (!(await this.#token.replace(authorization))) return first;
    const renewed = this.#token.authorization();
    return this.#judge(call, await this.#request(call, renewed, options));
  }

  #request(
    { content, recipients }: Call,
    authorization: string,
    options: SendOptions,
  ): Promise<HmsResult> {
    const { target, pushType } = content;
    const tokens = recipients.map(({ token }) => token);
    const path = pathFor(target, this.#settings);
    const body = requestText(content, tokens);
    const headers = headersFor(authorization, pushType);
    return this.#connections.request({ path, headers, body }, options);
  }

  #ask(
    authorization: string,
    { kind, pushType, body }: HmsQuestion,
    signal: AbortSignal,
  ): Promise<HmsResult> {
    const startBefore = performance.now() + QUESTION_PATIENCE_MS;
    const path = pathFor(kind, this.#settings);
    const headers = headersFor(authorization, pushType);
    return this.#connections.request({ path, headers, body }, { startBefore, signal });
  }

  #judge({ content }: Call, result: HmsResult): HmsVerdict {
    if (result.kind !== 'answer') {
      return { kind: 'refused', action: 'report', outcome: outcomeWithoutAnswer(result) };
    }
    return readVerdict(result, this.#clock(), this.#hasSucceeded(content.target));
  }

  #hasSucceeded(kind: HmsKind): boolean {
    const takenAtMs = this.#takenAtMs.get(kind) ?? Number.NEGATIVE_INFINITY;
    return this.#clock().getTime() - takenAtMs < LIMITS.massDeathMs;
  }

  #conclude({ content, recipients }: Call, verdict: HmsVerdict, hear: HearOutcome): void {
    if (verdict.kind === 'refused') {
      for (const { place } of recipients) hear(place, verdict.outcome);
      return;
    }
    const { illegal, illegalOutcome, providerId } = verdict;
    for (const { place, token } of recipients) {
      if (illegal.has(token)) {
        hear(place, illegalOutcome);
        continue;
      }
      this.#takenAtMs.set(content.target, this.#clock().getTime());
      hear(place, { kind: 'accepted', providerId });
    }
  }
}

function headersFor(
  authorization: string,
  pushType: string | null,
): Readonly<Record<string, string>> {
  return {
    authorization,
    'content-type': 'application/json; charset=utf-8',
    ...(pushType === null ? {} : { 'push-type': pushType }),
  };
}

/** Each version of the API has a path of its own, and another name for whom the push is of. */
function pathFor(target: HmsKind, settings: HmsSettings): string {
  if (target === 'harmony') {
    assert(settings.kind === 'service_account', 'clients serve no tokens of HarmonyOS NEXT');
    return `/v3/${settings.projectId}/messages:send`;
  }
  return settings.kind === 'client' && settings.projectId === null
    ? `/v1/${settings.appId}/messages:send`
    : `/v2/${settings.projectId}/messages:send`;
}
