import { randomUUID } from 'node:crypto';
import assert from 'node:assert/strict';
import type { Answer } from '../answer.ts';
import type { Connection } from '../connection.ts';
import { DeviceBook } from '../device-book.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { Environment } from '../journal.ts';
import { SentinelTokens } from '../sentinel-tokens.ts';
import type { Result, Service, ServiceRequest } from '../service.ts';
import type { Arrival } from '../shelf.ts';
import { acceptance, refusal, scriptedAnswer } from './answers.ts';
import type { ApnsAuthority } from './authentication.ts';
import { clientCertificate } from './certificate.ts';
import { ConnectionHistory } from './connection-history.ts';
import { refusalByState } from './device-states.ts';
import type { ApnsDeviceState } from './device-states.ts';
import type { ApnsKey } from './key.ts';
import { defaultApnsKnobs } from './knobs.ts';
import type { ApnsKnobs } from './knobs.ts';
import { ProviderTokens } from './provider-token.ts';
import { APNS_BODY_LIMIT_BYTES, findProblem, readApnsRequest } from './request.ts';
import type { ApnsRequest } from './request.ts';
import { APNS_SENTINELS, apnsSentinelPrefix } from './sentinel-tokens.ts';
import { bundleIdOf } from './topics.ts';

/** The part of the simulator's options that decides about requests. */
export interface ApnsServiceOptions {
  readonly environment: Environment;
  /** `accept_all` (the default) takes any well-formed token for live, `validating` known ones. */
  readonly mode?: 'validating' | 'accept_all';
  readonly keys: readonly ApnsKey[];
  /** The bundle ids of the team. */
  readonly topics: readonly string[];
  readonly knobs?: Partial<ApnsKnobs>;
}

// Apple stores a push for an absent device for up to 30 days, one for each app.
const DEFAULT_STORAGE_MS = 30 * 86_400_000;
// One stored push for each app: more apps than this do not push to one simulated device.
const MAX_STORED = 20;

/** What makes a simulator APNs: how it judges requests, and what it keeps of each connection. */
export class ApnsService implements Service {
  readonly provider = 'apns';
  readonly environment: Environment;
  readonly bodyLimitBytes = APNS_BODY_LIMIT_BYTES;
  readonly devices: DeviceBook<ApnsDeviceState>;
  readonly knobs: ApnsKnobs;
  readonly #authority: ApnsAuthority;
  readonly #acceptsUnknown: boolean;
  readonly #clock: () => number;
  readonly #sentinels = new SentinelTokens(APNS_SENTINELS, apnsSentinelPrefix);
  readonly #histories = new WeakMap<Connection, ConnectionHistory>();

  constructor(options: ApnsServiceOptions, clock: () => number) {
    this.environment = options.environment;
    this.knobs = { ...defaultApnsKnobs(), ...options.knobs };
    this.#clock = clock;
    this.#acceptsUnknown = options.mode !== 'validating';
    this.#authority = {
      environment: options.environment,
      providerTokens: new ProviderTokens(options.keys),
      topics: new Set(options.topics),
    };
    this.devices = new DeviceBook({
      normalize: (token) => token.toLowerCase(),
      maxStored: MAX_STORED,
      clock,
    });
  }

  greet(connection: Connection): void {
    const certificate = clientCertificate(connection.tls);
    this.#histories.set(connection, new ConnectionHistory(connection, certificate, this.knobs));
  }

  read(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const history = this.#histories.get(exchange.connection);
    assert(history !== undefined, 'Every connection is greeted before its first request.');
    const request = readApnsRequest(exchange, body, history);
    return {
      isPush: true,
      token: request.token,
      body: request.payload,
      sentinelFault: () =>
        request.token === null ? null : this.#sentinels.takeFault(request.token),
      examine: () => this.#examine(request),
      fulfil: () => this.#fulfil(request),
      render: (fault) => {
        const answer = scriptedAnswer(fault, request.apnsId, this.#clock());
        request.history.answered(answer.status, answer.reason);
        return answer;
      },
    };
  }

  #examine(request: ApnsRequest): Answer | null {
    const { authenticatesFirst } = this.knobs;
    const options = { authenticatesFirst, nowMs: this.#clock() };
    const problem = findProblem(request, this.#authority, options);
    if (problem === null) return null;
    const answer = refusal(problem, request.apnsId);
    request.history.answered(answer.status, answer.reason);
    return answer;
  }

  #fulfil(request: ApnsRequest): Result {
    const { apnsId, token, topic, history } = request;
    assert(token !== null && topic !== null, 'Only examined requests are fulfilled.');
    const nowMs = this.#clock();
    const push = { apnsId, bundleId: bundleIdOf(topic, request.pushType) };
    const refused = refusalByState(this.#stateOf(token, nowMs), push, nowMs);
    const answer = refused ?? acceptance(apnsId, this.#uniqueId());
    if (refused === null) this.devices.receive(token, arrivalOf(request, topic, nowMs));
    history.answered(answer.status, answer.reason);
    return { answer, accepted: refused === null, providerId: apnsId };
  }

  /** What was set wins over what the token says, and that over what unknown tokens are. */
  #stateOf(token: string, nowMs: number): ApnsDeviceState {
    const claimed = this.devices.get(token) ?? this.#sentinels.stateOf(token, nowMs);
    return claimed ?? { kind: this.#acceptsUnknown ? 'live' : 'other_environment' };
  }

  #uniqueId(): string | null {
    return this.environment === 'sandbox' ? randomUUID() : null;
  }
}

/** Expiration 0 asks for a single attempt: such a push expires as it arrives. */
function arrivalOf(request: ApnsRequest, topic: string, nowMs: number): Arrival {
  const { expiration, collapseId } = request;
  return {
    id: request.apnsId,
    atMs: nowMs,
    expiresAtMs: expiration === null ? nowMs + DEFAULT_STORAGE_MS : Number(expiration) * 1000,
    storageKey: topic,
    displayKey: collapseId,
    payload: request.payload,
  };
}
