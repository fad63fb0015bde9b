import { randomBytes, randomInt } from 'node:crypto';
import assert from 'node:assert/strict';
import { AccessTokens } from '../access-tokens.ts';
import { withRetryAfter } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { DeviceBook } from '../device-book.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { AnswerFault } from '../fault.ts';
import { SentinelTokens } from '../sentinel-tokens.ts';
import type { Result, Service, ServiceRequest } from '../service.ts';
import type { Arrival } from '../shelf.ts';
import { fcmAnswers, oauthError } from './answers.ts';
import { refusalByState } from './device-states.ts';
import type { FcmDeviceState } from './device-states.ts';
import { defaultFcmKnobs } from './knobs.ts';
import type { FcmKnobs } from './knobs.ts';
import { child, durationSeconds } from './message.ts';
import type { Addressee } from './message.ts';
import { FCM_BODY_LIMIT_BYTES, findProblem, readFcmRequest } from './request.ts';
import type { FcmRequest } from './request.ts';
import { FCM_SENTINELS, fcmSentinelPrefix } from './sentinel-tokens.ts';
import type { FcmProject } from './service-account.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import type { TokenRequest } from './token-endpoint.ts';
import { fieldOf } from './violations.ts';

/** The part of the simulator's options that decides about requests. */
export interface FcmServiceOptions {
  readonly projects: readonly FcmProject[];
  /** `accept_all` (the default) takes any well-formed token for live, `validating` known ones. */
  readonly mode?: 'validating' | 'accept_all';
  readonly knobs?: Partial<FcmKnobs>;
}

/** The path of the token endpoint, to match faults with. */
export const FCM_TOKEN_PATH = '/token';

const TOKEN = /^[A-Za-z0-9_:.-]{20,4096}$/;
const INSTALLATION_ID = /^[c-f][A-Za-z0-9_-]{21}$/;
const DEFAULT_TTL_SECONDS = 2_419_200;
const MAX_STORED = 100;

/** What makes a simulator FCM: two endpoints, one for access tokens and one for messages. */
export class FcmService implements Service {
  readonly provider = 'fcm';
  readonly environment = null;
  readonly bodyLimitBytes = FCM_BODY_LIMIT_BYTES;
  readonly devices: DeviceBook<FcmDeviceState>;
  readonly knobs: FcmKnobs;
  readonly tokens: AccessTokens;
  /** Google's own address is there for clients that pin it whatever they connect to. */
  readonly audiences = new Set(['https://oauth2.googleapis.com/token']);
  readonly #projects = new Map<string, FcmProject>();
  readonly #acceptsUnknown: boolean;
  readonly #clock: () => number;
  readonly #sentinels = new SentinelTokens(FCM_SENTINELS, fcmSentinelPrefix);
  #tokenEndpoint: TokenEndpoint;

  constructor(options: FcmServiceOptions, clock: () => number) {
    this.knobs = { ...defaultFcmKnobs(), ...options.knobs };
    this.tokens = new AccessTokens({ prefix: 'ya29.', lifetimeSeconds: 3599, clock });
    this.#clock = clock;
    this.#acceptsUnknown = options.mode !== 'validating';
    this.#tokenEndpoint = new TokenEndpoint([], this.tokens);
    this.devices = new DeviceBook({ normalize: (token) => token, maxStored: MAX_STORED, clock });
    for (const project of options.projects) this.addProject(project);
  }

  addProject(project: FcmProject): void {
    this.#projects.set(project.projectId, project);
    if (project.projectNumber !== undefined) this.#projects.set(project.projectNumber, project);
    const accounts = [...new Set(this.#projects.values())].flatMap((each) => each.serviceAccounts);
    this.#tokenEndpoint = new TokenEndpoint(accounts, this.tokens);
  }

  read(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const [path] = exchange.path.split('?');
    return path === FCM_TOKEN_PATH
      ? this.#readTokenRequest(exchange, body)
      : this.#readSendRequest(exchange, body);
  }

  #readTokenRequest({ method, headers }: Exchange, body: ReceivedBody): ServiceRequest {
    const request: TokenRequest = {
      method,
      contentType: headers['content-type'] ?? '',
      body: body.bytes.toString('utf8'),
      audiences: this.audiences,
      nowMs: this.#clock(),
    };
    return {
      isPush: false,
      token: null,
      body: null,
      sentinelFault: () => null,
      examine: () => this.#tokenEndpoint.examine(request),
      fulfil: () => ({
        answer: this.#tokenEndpoint.issue(request),
        accepted: false,
        providerId: null,
      }),
      render: ({ status, reason, retryAfterSeconds }) =>
        withRetryAfter(oauthError(status, reason, reason), retryAfterSeconds),
    };
  }

  #readSendRequest(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const request = readFcmRequest(exchange, body);
    const token = request.addressee?.value ?? null;
    return {
      isPush: true,
      token,
      body: request.json ?? null,
      sentinelFault: () => (token === null ? null : this.#sentinels.takeFault(token)),
      examine: () => findProblem(request, this.#projects, this.tokens),
      fulfil: () => this.#fulfil(request),
      render: renderFault,
    };
  }

  #fulfil({ addressee, message, project, isValidateOnly }: FcmRequest): Result {
    assert(addressee !== null && project !== null, 'Only examined requests are fulfilled.');
    const refused = this.#refusalFor(addressee);
    if (refused !== null) return { answer: refused, accepted: false, providerId: null };
    const prefix = `projects/${project}/messages`;
    if (isValidateOnly) {
      const answer = fcmAnswers.accepted(`${prefix}/fake_message_id`);
      return { answer, accepted: false, providerId: null };
    }
    const nowMs = this.#clock();
    const name = `${prefix}/${messageId(addressee, nowMs)}`;
    if (isDevice(addressee)) this.devices.receive(addressee.value, arrivalOf(name, message, nowMs));
    return { answer: fcmAnswers.accepted(name), accepted: true, providerId: name };
  }

  /** What was set wins over what the token says, and that over what unknown tokens are. */
  #refusalFor({ kind, value }: Addressee): Answer | null {
    if (kind !== 'token' && kind !== 'fid') return null;
    const pattern = kind === 'fid' ? INSTALLATION_ID : TOKEN;
    const claimed = this.devices.get(value) ?? this.#sentinels.stateOf(value, this.#clock());
    if (claimed !== null) return refusalByState(claimed, kind);
    if (this.#acceptsUnknown && pattern.test(value)) return null;
    // An installation that never registered for messaging is as good as gone.
    if (kind === 'fid' && pattern.test(value)) return fcmAnswers.unregistered();
    return refusalByState({ kind: 'bad_token', body: this.knobs.badTokenBody }, kind);
  }
}

// The faults whose bodies are known, by status and reason. Google says INVALID_ARGUMENT to very
// different things, so what is meant stands after a colon.
const KNOWN_FAULTS: ReadonlyMap<string, () => Answer> = new Map([
  ['400 INVALID_ARGUMENT:token', fcmAnswers.badTokenByMessage],
  ['400 INVALID_ARGUMENT:ApnsError410', fcmAnswers.iosDisabled],
  ['400 INVALID_ARGUMENT:ApnsError400BadDeviceToken', fcmAnswers.iosMisplaced],
  ['400 INVALID_ARGUMENT:fieldViolation', fcmAnswers.wrongField],
  ['400 INVALID_ARGUMENT:no-details', fcmAnswers.tooLarge],
  ['400 INVALID_ARGUMENT:no-target', fcmAnswers.noTarget],
  ['404 UNREGISTERED', fcmAnswers.unregistered],
  ['404 NOT_FOUND', fcmAnswers.unknownProject],
  ['401 UNAUTHENTICATED', fcmAnswers.invalidCredential],
  ['401 THIRD_PARTY_AUTH_ERROR', fcmAnswers.thirdPartyAuth],
  ['403 PERMISSION_DENIED', () => fcmAnswers.permissionDenied('elsewhere')],
  ['404 (html)', () => fcmAnswers.unknownPath('/v1/elsewhere')],
  ['403 SENDER_ID_MISMATCH', fcmAnswers.senderMismatch],
  ['429 QUOTA_EXCEEDED', fcmAnswers.quotaExceeded],
  ['500 INTERNAL', fcmAnswers.internal],
  ['502 (html)', fcmAnswers.badGateway],
  ['503 UNAVAILABLE', fcmAnswers.unavailable],
]);

/** A reason without a known body gets FCM's usual frame around it. */
function renderFault({ status, reason, retryAfterSeconds }: AnswerFault): Answer {
  const known = KNOWN_FAULTS.get(`${status} ${reason}`);
  return withRetryAfter(known?.() ?? fcmAnswers.other(status, reason), retryAfterSeconds);
}

function isDevice({ kind }: Addressee): boolean {
  return kind === 'token' || kind === 'fid';
}

/** FCM's ids are opaque; a topic's message has a plain number. */
function messageId(addressee: Addressee, nowMs: number): string {
  const micros = `${nowMs}${String(randomInt(1000)).padStart(3, '0')}`;
  return isDevice(addressee) ? `0:${micros}%${randomBytes(8).toString('hex')}` : micros;
}

/** A ttl of zero asks for a single attempt: such a message expires as it arrives. */
function arrivalOf(name: string, message: FcmRequest['message'], nowMs: number): Arrival {
  const android = child(message, 'android');
  const ttlSeconds = durationSeconds(fieldOf(android, 'ttl')) ?? DEFAULT_TTL_SECONDS;
  const tag = fieldOf(child(android, 'notification'), 'tag');
  const collapseId = child(child(message, 'apns'), 'headers')['apns-collapse-id'];
  return {
    id: name,
    atMs: nowMs,
    expiresAtMs: nowMs + ttlSeconds * 1000,
    storageKey: textOrNull(fieldOf(android, 'collapse_key')),
    displayKey: textOrNull(tag) ?? textOrNull(collapseId),
    payload: message,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
