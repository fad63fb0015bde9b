import { AccessTokens } from '../access-tokens.ts';
import type { Answer } from '../answer.ts';
import { DeviceBook } from '../device-book.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { AnswerFault, Fault } from '../fault.ts';
import { SentinelTokens } from '../sentinel-tokens.ts';
import type { Result, Service, ServiceRequest } from '../service.ts';
import type { Arrival } from '../shelf.ts';
import { isRecord } from '../variant.ts';
import {
  bareAnswer,
  codedAnswer,
  HMS_CODES,
  oauthError,
  partialSuccess,
  refusal,
  success,
  withRetryAfter,
  type SentAnswer,
} from './answers.ts';
import type { HmsApp } from './app.ts';
import { Authenticator } from './authentication.ts';
import type { HmsDeviceState } from './device-states.ts';
import { defaultHmsKnobs, type HmsKnobs } from './knobs.ts';
import { child, ttlOf, type HmsMessage } from './message.ts';
import { findProblem, HMS_BODY_LIMIT_BYTES, readHmsRequest, type HmsRequest } from './request.ts';
import { HMS_SENTINELS, hmsSentinelPrefix } from './sentinel-tokens.ts';
import { examineTokenRequest, issueToken, type TokenRequest } from './token-endpoint.ts';

/** The part of the simulator's options that decides about requests. */
export interface HmsServiceOptions {
  readonly apps: readonly HmsApp[];
  /** `accept_all` (the default) takes any well-formed token for live, `validating` known ones. */
  readonly mode?: 'validating' | 'accept_all';
  readonly knobs?: Partial<HmsKnobs>;
}

/** The path of the token endpoint, to match faults with. */
export const HMS_TOKEN_PATH = '/oauth2/v3/token';

const TOKEN = /^[A-Za-z0-9_\-+/=.:]{20,4096}$/;
const TOKEN_LIFETIME_SECONDS = 3600;
const MAX_STORED = 100;

/** What makes a simulator Push Kit: a token endpoint, and three versions of sending. */
export class HmsService implements Service {
  readonly provider = 'hms';
  readonly environment = null;
  readonly bodyLimitBytes = HMS_BODY_LIMIT_BYTES;
  readonly devices: DeviceBook<HmsDeviceState>;
  readonly knobs: HmsKnobs;
  readonly tokens: AccessTokens;
  readonly #apps: HmsApp[] = [];
  readonly #authenticator: Authenticator;
  readonly #acceptsUnknown: boolean;
  readonly #clock: () => number;
  readonly #sentinels = new SentinelTokens(HMS_SENTINELS, hmsSentinelPrefix);

  constructor(options: HmsServiceOptions, clock: () => number) {
    this.knobs = { ...defaultHmsKnobs(), ...options.knobs };
    const lifetimeSeconds = TOKEN_LIFETIME_SECONDS;
    this.tokens = new AccessTokens({ prefix: 'DAEB', lifetimeSeconds, clock });
    // Signatures are made out to Huawei's own address, wherever they are sent.
    const audiences = new Set(['https://oauth-login.cloud.huawei.com/oauth2/v3/token']);
    this.#authenticator = new Authenticator(this.tokens, audiences, clock);
    this.#clock = clock;
    this.#acceptsUnknown = options.mode !== 'validating';
    this.devices = new DeviceBook({ normalize: (token) => token, maxStored: MAX_STORED, clock });
    for (const app of options.apps) this.addApp(app);
  }

  addApp(app: HmsApp): void {
    this.#apps.push(app);
    this.#authenticator.addApp(app);
  }

  read(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const [path] = exchange.path.split('?');
    return path === HMS_TOKEN_PATH
      ? this.#readTokenRequest(exchange, body)
      : this.#readSendRequest(exchange, body);
  }

  #readTokenRequest({ method, headers }: Exchange, body: ReceivedBody): ServiceRequest {
    const request: TokenRequest = {
      method,
      contentType: headers['content-type'] ?? '',
      body: body.bytes.toString('utf8'),
    };
    return {
      isPush: false,
      token: null,
      body: null,
      sentinelFault: () => null,
      examine: () => examineTokenRequest(request, this.#apps),
      fulfil: () => ({
        answer: issueToken(request, this.tokens),
        accepted: false,
        providerId: null,
      }),
      render: renderTokenFault,
    };
  }

  #readSendRequest(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const request = readHmsRequest(exchange, body);
    return {
      isPush: true,
      // The journal has room for one; the body has them all.
      token: request.tokens[0] ?? null,
      body: request.message.json ?? null,
      sentinelFault: () => this.#sentinelFault(request),
      examine: () => findProblem(request, this.#authenticator, this.knobs),
      fulfil: () => this.#fulfil(request),
      render: (fault) => renderFault(fault, request.tokens),
    };
  }

  /** A call with several tokens suffers the fault of the first that brings one. */
  #sentinelFault({ tokens }: HmsRequest): Fault | null {
    for (const token of tokens) {
      const fault = this.#sentinels.takeFault(token);
      if (fault !== null) return fault;
    }
    return null;
  }

  #fulfil({ message, tokens }: HmsRequest): Result {
    const { errorsComeWith200 } = this.knobs;
    const states = tokens.map((token) => ({ token, kind: this.#stateOf(token, message) }));
    if (states.some(({ kind }) => kind === 'foreign')) {
      return refused(refusal('80300002', errorsComeWith200));
    }
    const takenKind = message.version === 'v3' ? 'harmony' : 'live';
    const taken = states.filter(({ kind }) => kind === takenKind);
    if (taken.length === 0) return refused(refusal('80300007', errorsComeWith200));
    const illegal = states.filter(({ kind }) => kind !== takenKind).map(({ token }) => token);
    const answer = illegal.length === 0 ? success() : partialSuccess(taken.length, illegal);
    if (isValidateOnly(message)) return refused(answer);
    for (const { token } of taken) {
      this.devices.receive(token, arrivalOf(answer, message, this.#clock()));
    }
    return { answer, accepted: true, providerId: answer.requestId };
  }

  /** What was set wins over what the token says, and that over what unknown tokens are. */
  #stateOf(token: string, { version }: HmsMessage): HmsDeviceState['kind'] {
    const claimed = this.devices.get(token) ?? this.#sentinels.stateOf(token, this.#clock());
    if (claimed !== null) return claimed.kind;
    if (!this.#acceptsUnknown || !TOKEN.test(token)) return 'illegal';
    return version === 'v3' ? 'harmony' : 'live';
  }
}

function isValidateOnly({ json }: HmsMessage): boolean {
  return isRecord(json) && json['validate_only'] === true;
}

function refused(answer: Answer): Result {
  return { answer, accepted: false, providerId: null };
}

/**
 * A reason of eight digits is a code of Push Kit; any other comes from somebody in front of it. A
 * partial success has to name somebody: it names all.
 */
function renderFault(
  { status, reason, retryAfterSeconds }: AnswerFault,
  tokens: readonly string[],
): Answer {
  return withRetryAfter(answerOf(status, reason, tokens), retryAfterSeconds);
}

function answerOf(status: number, reason: string, tokens: readonly string[]): Answer {
  if (reason === '80100000') return { ...partialSuccess(0, tokens), status };
  if (!/^\d{8}$/.test(reason)) return bareAnswer(status);
  const meaning = Object.entries(HMS_CODES).find(([code]) => code === reason)?.[1] ?? reason;
  return codedAnswer(status, reason, meaning);
}

function renderTokenFault({ status, reason, retryAfterSeconds }: AnswerFault): Answer {
  const code = /^error (\d+)$/.exec(reason)?.[1];
  const answer = code === undefined ? bareAnswer(status) : oauthError(status, Number(code), reason);
  return withRetryAfter(answer, retryAfterSeconds);
}

function arrivalOf({ requestId }: SentAnswer, message: HmsMessage, nowMs: number): Arrival {
  const android = child(child(message.json, 'message'), 'android');
  const shown = child(child(message.json, 'payload'), 'notification');
  const collapseKey = Number(android['collapse_key'] ?? -1);
  const displayKey = child(android, 'notification')['tag'] ?? shown['notifyId'];
  return {
    id: requestId,
    atMs: nowMs,
    expiresAtMs: nowMs + ttlOf(message) * 1000,
    storageKey: collapseKey === -1 ? null : String(collapseKey),
    displayKey: displayKey === undefined ? null : JSON.stringify(displayKey),
    payload: message.json,
  };
}
