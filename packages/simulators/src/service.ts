import type { Answer } from './answer.ts';
import type { Exchange, ReceivedBody } from './exchange.ts';
import type { AnswerFault, Fault } from './fault.ts';
import type { Environment, ProviderName } from './journal.ts';

/** What became of one push of a request that carries several. */
export interface ResultPart {
  readonly token: string;
  /** What the push says. */
  readonly body: unknown;
  readonly accepted: boolean;
  readonly providerId: string | null;
  /** Why it was not taken; null when it was, or when the answer says nothing of it. */
  readonly reason: string | null;
}

/** What processing a request came to. */
export interface Result {
  readonly answer: Answer;
  /** Whether the provider took a push, which is the point of no return. */
  readonly accepted: boolean;
  readonly providerId: string | null;
  /** Where a request carries several pushes: the journal gets an entry for each. */
  readonly parts?: readonly ResultPart[];
}

/** One request, understood as far as it can be without judging it. */
export interface ServiceRequest {
  readonly isPush: boolean;
  /** What the push is addressed to; null when that cannot be made out. */
  readonly token: string | null;
  /** For the journal: null when not parseable, or when it carries a credential. */
  readonly body: unknown;
  /** The fault that the token itself asks for. */
  sentinelFault(): Fault | null;
  /** Judges the request itself: its form and its credentials. Null when nothing is wrong. */
  examine(): Answer | null;
  /** Carries an examined request out: the device's state decides, then the push is taken. */
  fulfil(): Result;
  /** The provider's way of saying what a fault wants said. */
  render(fault: AnswerFault): Answer;
}

/** The port between the machinery that all simulators share and what makes each of them itself. */
export interface Service {
  readonly provider: ProviderName;
  readonly environment: Environment | null;
  /** How much of a body is worth keeping to judge it. */
  readonly bodyLimitBytes: number;
  read(exchange: Exchange, body: ReceivedBody): ServiceRequest;
}
