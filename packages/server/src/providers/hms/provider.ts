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
import { Suspects } from '../suspects.ts';
import { untilAborted } from '../until-aborted.ts';
import { CallBook, halvesOf, MAX_TOKENS, type Call, type Recipient } from './call.ts';
import { ANSWER_TIMEOUT_MS, HmsConnections, IN_FLIGHT, type HmsResult } from './connection.ts';
import { buildHmsContent, HMS_PAYLOAD_BYTES, measureHmsPayload, requestText } from './payload.ts';
import { readVerdict, type HmsVerdict, type TokenRefusal } from './reasons.ts';
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

/** A call to one token that was refused because of the token, or of the credential. */
interface Doubt {
  readonly call: Call;
  readonly verdict: TokenRefusal;
}

/** What deliveries of one `send` share. */
interface Sending {
  readonly options: SendOptions;
  readonly hear: HearOutcome;
  readonly doubts: Doubt[];
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
  readonly limits: ProviderLimits = {
    payloadBytes: HMS_PAYLOAD_BYTES,
    inFlight: IN_FLIGHT,
    batch: MAX_TOKENS,
  };
  readonly #settings: HmsSettings;
  readonly #clock: Clock;
  readonly #source: TokenEndpoint | TokenSigner;
  readonly #token: BearerToken;
  readonly #connections: HmsConnections;
  readonly #owned = new AsyncDisposableStack();
  readonly #suspects = new Suspects();
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
    const sending: Sending = { options, hear, doubts: [] };
    try {
      await this.#deliverAll(this.#callsFor(pushes, hear), sending);
    } finally {
      // Judged last, when all that can tell whether the credential works has been answered.
      for (const { call, verdict } of sending.doubts) {
        const isWorking = this.#hasSucceeded(call.content.target);
        this.#refuse(call, isWorking ? verdict.whileWorking : verdict.otherwise, hear);
      }
    }
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
      else book.add(content, { place, token: address.token }, this.#suspects.partOf(address.token));
    }
    return book.calls;
  }

  /** One that fails, by a mistake of ours, keeps none of the others from being heard. */
  async #deliverAll(calls: readonly Call[], sending: Sending): Promise<void> {
    const made = await Promise.allSettled(calls.map((call) => this.#deliver(call, sending)));
    const failed = made.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Huawei refuses a call as a whole for one token of another app, which anybody can register with
   * ours. Such a call is divided until that token is alone; a call that was refused like that was
   * not sent, so nobody gets a push twice.
   */
  async #deliver(call: Call, sending: Sending): Promise<void> {
    const verdict = await this.#make(call, sending.options);
    if (verdict.kind !== 'token_refused') return this.#conclude(call, verdict, sending.hear);
    if (call.recipients.length === 1) {
      sending.doubts.push({ call, verdict });
      return;
    }
    const halves = halvesOf(call);
    for (const { recipients } of halves) {
      this.#suspects.suspect(recipients.map(({ token }) => token));
    }
    await this.#deliverAll(halves, sending);
  }

  /** Makes a call, and once more if another access token may help. */
  async #make(call: Call, options: SendOptions): Promise<HmsVerdict> {
    const authorization = this.#token.authorization();
    const first = this.#judge(await this.#request(call, authorization, options));
    if (first.kind !== 'refused' || first.action !== 'renew_token') return first;
    if (!(await this.#token.replace(authorization))) return first;
    const renewed = this.#token.authorization();
    return this.#judge(await this.#request(call, renewed, options));
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

  #judge(result: HmsResult): HmsVerdict {
    if (result.kind !== 'answer') {
      return { kind: 'refused', action: 'report', outcome: outcomeWithoutAnswer(result) };
    }
    return readVerdict(result, this.#clock());
  }

  #hasSucceeded(kind: HmsKind): boolean {
    const takenAtMs = this.#takenAtMs.get(kind) ?? Number.NEGATIVE_INFINITY;
    return this.#clock().getTime() - takenAtMs < LIMITS.massDeathMs;
  }

  #conclude(
    call: Call,
    verdict: Exclude<HmsVerdict, { readonly kind: 'token_refused' }>,
    hear: HearOutcome,
  ): void {
    if (verdict.kind === 'refused') return this.#refuse(call, verdict.outcome, hear);
    const { illegal, illegalOutcome, providerId } = verdict;
    for (const recipient of call.recipients) {
      if (illegal.has(recipient.token)) {
        this.#tell(recipient, illegalOutcome, hear);
        continue;
      }
      this.#takenAtMs.set(call.content.target, this.#clock().getTime());
      this.#tell(recipient, { kind: 'accepted', providerId }, hear);
    }
  }

  #refuse({ recipients }: Call, outcome: Outcome, hear: HearOutcome): void {
    for (const recipient of recipients) this.#tell(recipient, outcome, hear);
  }

  #tell({ place, token }: Recipient, outcome: Outcome, hear: HearOutcome): void {
    if (outcome.kind !== 'not_started') this.#suspects.clear(token);
    hear(place, outcome);
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
