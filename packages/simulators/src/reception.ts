import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { Exchange, ReceivedBody } from './exchange.ts';
import type { Fault, Target } from './fault.ts';
import type { Faults } from './faults.ts';
import type { Journal } from './journal.ts';
import type { Result, ResultPart, Service, ServiceRequest } from './service.ts';
import { unreachable } from './unreachable.ts';

/** How an exchange ends on the wire, and what the journal is to say about it. */
interface Verdict {
  readonly ending: 'answer' | 'silence' | 'reset' | 'refuse';
  readonly answer: Answer | null;
  readonly accepted: boolean;
  readonly providerId: string | null;
  readonly parts?: readonly ResultPart[];
}

export interface ReceptionOptions {
  readonly service: Service;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly clock: () => number;
}

const JOURNALLED_APART = new Set(['authorization', 'cookie']);

/**
 * The course of every request, whatever the provider:
 *
 *     read the body → gate "arrival" → fault → examine → fulfil → gate "answer" → journal → wire
 *
 * A fault replaces the steps from "examine" on, according to its kind. The journal is written
 * before the wire, so that a client that holds an answer finds the entry.
 */
export class Reception {
  readonly #service: Service;
  readonly #faults: Faults;
  readonly #journal: Journal;
  readonly #clock: () => number;
  readonly #closing = new AbortController();
  #dated = { second: Number.NaN, text: '' };

  constructor({ service, faults, journal, clock }: ReceptionOptions) {
    this.#service = service;
    this.#faults = faults;
    this.#journal = journal;
    this.#clock = clock;
  }

  async receive(exchange: Exchange): Promise<void> {
    const body = await exchange.readBody(this.#service.bodyLimitBytes);
    if (body === null) return;
    const request = this.#service.read(exchange, body);
    const target = { token: request.token, path: exchange.path, isPush: request.isPush };
    if (this.#faults.isHolding) await this.#faults.pass(target, 'arrival');
    const fault = this.#faultFor(request, target);
    if (fault?.kind === 'slow') await this.#wait(fault.delayMs);
    if (this.#closing.signal.aborted) return;
    const verdict = this.#decide(exchange, request, fault);
    if (this.#faults.isHolding) await this.#faults.pass(target, 'answer');
    this.#record(exchange, body, request, verdict, fault);
    disturb(exchange, fault);
    conclude(exchange, verdict, this.#date());
  }

  /** By the simulator's own clock; the text is made once a second. */
  #date(): string {
    const second = Math.floor(this.#clock() / 1_000);
    if (second !== this.#dated.second) {
      this.#dated = { second, text: new Date(second * 1_000).toUTCString() };
    }
    return this.#dated.text;
  }

  /** What a GOAWAY has left out is not looked at, whatever it is. */
  #decide(
    { connection, streamId }: Exchange,
    request: ServiceRequest,
    fault: Fault | null,
  ): Verdict {
    if (connection.leavesOut(streamId)) return unprocessed('refuse');
    const verdict = judge(request, fault);
    if (verdict.ending !== 'refuse') connection.processes(streamId);
    return verdict;
  }

  /** Cuts delays short; requests that are still waiting then end without an answer. */
  close(): void {
    this.#closing.abort();
    this.#faults.clear();
  }

  #faultFor(request: ServiceRequest, target: Target): Fault | null {
    return this.#faults.take(target) ?? (request.isPush ? request.sentinelFault() : null);
  }

  async #wait(delayMs: number): Promise<void> {
    try {
      await delay(delayMs, undefined, { signal: this.#closing.signal });
    } catch {
      // Only closing cuts a delay short, and receive() looks for that next.
    }
  }

  #record(
    exchange: Exchange,
    body: ReceivedBody,
    request: ServiceRequest,
    verdict: Verdict,
    fault: Fault | null,
  ): void {
    const { answer, accepted, providerId } = verdict;
    const { token, body: content } = request;
    const whole = { token, body: content, accepted, providerId, reason: null };
    const shared = {
      atMs: this.#clock(),
      provider: this.#service.provider,
      environment: this.#service.environment,
      connectionId: exchange.connection.id,
      streamId: exchange.streamId,
      method: exchange.method,
      path: exchange.path,
      headers: journalledHeaders(exchange),
      credential: fingerprint(exchange.headers.authorization),
      bodyBytes: body.length,
      fault: fault?.kind ?? null,
    };
    for (const { reason, ...part } of verdict.parts ?? [whole]) {
      const told = answer && { status: answer.status, reason: reason ?? answer.reason };
      this.#journal.append({ ...shared, ...part, answer: told });
    }
  }
}

function judge(request: ServiceRequest, fault: Fault | null): Verdict {
  if (fault === null) return answered(process(request));
  switch (fault.kind) {
    case 'slow':
    case 'stream_limit':
      return answered(process(request));
    case 'goaway':
      return fault.lastStream === 'this' ? answered(process(request)) : unprocessed('refuse');
    case 'refused_stream':
      return unprocessed('refuse');
    case 'reset':
      return unprocessed('reset');
    case 'silence':
      return unprocessed('silence');
    case 'answer':
      return answered({
        answer: request.examine() ?? request.render(fault),
        accepted: false,
        providerId: null,
      });
    case 'accept_then_reset': {
      const result = process(request);
      return result.accepted ? { ...result, ending: 'reset', answer: null } : answered(result);
    }
    case 'accept_then_answer': {
      const result = process(request);
      return answered(result.accepted ? { ...result, answer: request.render(fault) } : result);
    }
    default:
      return unreachable(fault);
  }
}

function process(request: ServiceRequest): Result {
  const refusal = request.examine();
  return refusal === null
    ? request.fulfil()
    : { answer: refusal, accepted: false, providerId: null };
}

function answered(result: Result): Verdict {
  return { ending: 'answer', ...result };
}

function unprocessed(ending: Verdict['ending']): Verdict {
  return { ending, answer: null, accepted: false, providerId: null };
}

/** What a fault does to the connection rather than to the request. */
function disturb({ connection, streamId }: Exchange, fault: Fault | null): void {
  if (fault?.kind === 'stream_limit') {
    connection.setMaxConcurrentStreams(fault.maxConcurrentStreams);
  }
  if (fault?.kind === 'goaway') {
    // Client streams have odd numbers, so the one before this is two less.
    const own = streamId ?? 0;
    const lastStreamId = fault.lastStream === 'this' ? own : own - 2;
    connection.goaway({ reason: fault.reason, lastStreamId });
  }
}

function conclude(exchange: Exchange, verdict: Verdict, date: string): void {
  const { ending, answer } = verdict;
  switch (ending) {
    case 'answer':
      if (answer !== null) exchange.answer({ ...answer, headers: { date, ...answer.headers } });
      return;
    case 'refuse':
      exchange.refuse();
      return;
    case 'reset':
      exchange.connection.reset();
      return;
    case 'silence':
      return;
  }
}

function journalledHeaders({ headers }: Exchange): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || JOURNALLED_APART.has(name) || value === undefined) continue;
    kept[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return kept;
}

/** A digest, because a journal that people pass around must not hold anything that still works. */
function fingerprint(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  return createHash('sha256').update(authorization).digest('hex').slice(0, 16);
}
