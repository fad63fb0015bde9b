import { randomUUID } from 'node:crypto';
import type { Answer } from '../answer.ts';
import { DeviceBook } from '../device-book.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { Fault } from '../fault.ts';
import { SentinelTokens } from '../sentinel-tokens.ts';
import type { ResultPart, Result, Service, ServiceRequest } from '../service.ts';
import type { Arrival } from '../shelf.ts';
import { errorItem, expoAnswers } from './answers.ts';
import type { ExpoItem } from './answers.ts';
import type { ExpoDeviceState } from './device-states.ts';
import { defaultExpoKnobs } from './knobs.ts';
import type { ExpoKnobs } from './knobs.ts';
import { isPushToken, isTooBig, lifetimeSeconds } from './message.ts';
import type { ExpoMessage } from './message.ts';
import { ReceiptBook } from './receipt-book.ts';
import { EXPO_BODY_LIMIT_BYTES, findProblem, readExpoRequest, receiptIds } from './request.ts';
import type { ExpoRequest } from './request.ts';
import { EXPO_SENTINELS, expoSentinelPrefix } from './sentinel-tokens.ts';

/** The part of the simulator's options that decides about requests. */
export interface ExpoServiceOptions {
  /** The project of every token that is not said to be of another one. */
  readonly project: string;
  /** Those who may send for it; needed only while `enhancedSecurity` is on. */
  readonly accessTokens?: readonly string[];
  /** `accept_all` (the default) takes any well-formed token for live, `validating` known ones. */
  readonly mode?: 'validating' | 'accept_all';
  readonly knobs?: Partial<ExpoKnobs>;
}

const MAX_STORED = 100;

/** What makes a simulator Expo: one call to send, another to ask what became of it. */
export class ExpoService implements Service {
  readonly provider = 'expo';
  readonly environment = null;
  readonly bodyLimitBytes = EXPO_BODY_LIMIT_BYTES;
  readonly devices: DeviceBook<ExpoDeviceState>;
  readonly knobs: ExpoKnobs;
  readonly #project: string;
  readonly #accessTokens: string[];
  readonly #acceptsUnknown: boolean;
  readonly #clock: () => number;
  readonly #receipts: ReceiptBook;
  readonly #sentinels = new SentinelTokens(EXPO_SENTINELS, expoSentinelPrefix);

  constructor(options: ExpoServiceOptions, clock: () => number) {
    this.knobs = { ...defaultExpoKnobs(), ...options.knobs };
    this.#project = options.project;
    this.#accessTokens = [...(options.accessTokens ?? [])];
    this.#acceptsUnknown = options.mode !== 'validating';
    this.#clock = clock;
    this.#receipts = new ReceiptBook(clock);
    this.devices = new DeviceBook({ normalize: (token) => token, maxStored: MAX_STORED, clock });
  }

  addAccessToken(accessToken: string): void {
    this.#accessTokens.push(accessToken);
  }

  read(exchange: Exchange, body: ReceivedBody): ServiceRequest {
    const request = readExpoRequest(exchange, body);
    const { messages, json, takesGzip } = request;
    const inForm = (answer: Answer): Answer =>
      takesGzip ? { ...answer, encoding: 'gzip' } : answer;
    return {
      isPush: messages.length > 0,
      token: messages[0]?.token ?? null,
      body: json ?? null,
      sentinelFault: () => this.#sentinelFault(messages),
      examine: () => {
        const problem = this.#findProblem(request);
        return problem === null ? null : inForm(problem);
      },
      fulfil: () => {
        const result = messages.length > 0 ? this.#send(request) : this.#tell(request);
        return { ...result, answer: inForm(result.answer) };
      },
      render: ({ status, reason, retryAfterSeconds }) =>
        inForm(expoAnswers.fault(status, reason, retryAfterSeconds)),
    };
  }

  #sentinelFault(messages: readonly ExpoMessage[]): Fault | null {
    for (const { token } of messages) {
      const fault = this.#sentinels.takeFault(token);
      if (fault !== null) return fault;
    }
    return null;
  }

  #findProblem(request: ExpoRequest): Answer | null {
    const security = { accessTokens: this.#accessTokens, knobs: this.knobs };
    const problem = findProblem(request, security);
    if (problem !== null) return problem;
    const tokens = request.messages.map(({ token }) => token);
    const invalid = tokens.find((token) => this.#stateOf(token)?.kind === 'invalid');
    if (invalid !== undefined) return expoAnswers.invalid(`"${invalid}" is not valid.`);
    const byProject = Object.groupBy(tokens, (token) => this.#projectOf(token));
    return Object.keys(byProject).length > 1 ? expoAnswers.mixedProjects(groups(byProject)) : null;
  }

  /** Everything up to a token at which processing breaks off. */
  #send({ messages, isSingle }: ExpoRequest): Result {
    const tickets: ExpoItem[] = [];
    const parts: ResultPart[] = [];
    let isBroken = false;
    for (const message of messages) {
      isBroken ||= this.#stateOf(message.token)?.kind === 'breaks';
      if (isBroken) {
        parts.push(partOf(message, null));
        continue;
      }
      const ticket = this.#ticketFor(message);
      tickets.push(ticket);
      parts.push(partOf(message, ticket));
    }
    const accepted = parts.some((part) => part.accepted);
    const answer = isBroken
      ? expoAnswers.internal()
      : expoAnswers.data(isSingle ? tickets[0] : tickets);
    return { answer, accepted, providerId: parts[0]?.providerId ?? null, parts };
  }

  #tell({ json }: ExpoRequest): Result {
    const receipts = this.#receipts.read(receiptIds(json), this.knobs.receiptDelayMs);
    return { answer: expoAnswers.data(receipts), accepted: false, providerId: null };
  }

  #ticketFor(message: ExpoMessage): ExpoItem {
    const { token } = message;
    const state = this.#stateOf(token);
    if (state?.kind === 'ticket_error') return errorItem(state.error, token);
    const isKnown = state !== null || (this.#acceptsUnknown && isPushToken(token));
    if (!isKnown) return errorItem('DeviceNotRegistered', token);
    if (isTooBig(message)) return errorItem('MessageTooBig', token);
    const id = randomUUID();
    if (state?.kind === 'receipt_error') this.#receipts.add(id, errorItem(state.error, token));
    else if (state?.kind !== 'receipt_never') this.#receipts.add(id, { status: 'ok' });
    if (state === null || state.kind === 'live') {
      this.devices.receive(token, arrivalOf(id, message, this.#clock()));
    }
    return { status: 'ok', id };
  }

  /** What was set wins over what the token says. */
  #stateOf(token: string): ExpoDeviceState | null {
    return this.devices.get(token) ?? this.#sentinels.stateOf(token, this.#clock());
  }

  #projectOf(token: string): string {
    const state = this.#stateOf(token);
    return (state?.kind === 'live' ? state.project : undefined) ?? this.#project;
  }
}

function groups(
  byProject: Partial<Record<string, string[]>>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(byProject).map(([project, tokens]) => [project, tokens ?? []]),
  );
}

function partOf({ token, fields }: ExpoMessage, ticket: ExpoItem | null): ResultPart {
  const id = ticket?.status === 'ok' ? (ticket.id ?? null) : null;
  const reason = ticket?.status === 'error' ? ticket.details.error : null;
  return { token, body: fields, accepted: id !== null, providerId: id, reason };
}

/** One key replaces on both platforms: `collapseId` on iOS, `tag` on Android. */
function arrivalOf(id: string, message: ExpoMessage, nowMs: number): Arrival {
  const { tag, collapseId } = message.fields;
  return {
    id,
    atMs: nowMs,
    expiresAtMs: nowMs + lifetimeSeconds(message, nowMs) * 1000,
    storageKey: textOrNull(collapseId),
    displayKey: textOrNull(tag) ?? textOrNull(collapseId),
    payload: message.fields,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
