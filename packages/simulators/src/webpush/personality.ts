import type { Answer } from '../answer.ts';
import type { WebPushProblem } from './problem.ts';
import type { Check } from './request.ts';

/** The browser vendors whose services differ in more than their host names. */
export type PersonalityName = 'google' | 'mozilla' | 'apple' | 'wns';

/** A message that a service has taken, as far as its answer speaks of it. */
export interface TakenMessage {
  readonly id: string;
  readonly origin: string;
  /** What was asked for, and what the service makes of it. */
  readonly askedTtlSeconds: number;
  readonly ttlSeconds: number;
}

/** What tells one vendor's service from another's: addresses, limits, extra rules, and words. */
export interface Personality {
  readonly name: PersonalityName;
  /** What the service offers in ALPN. */
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  readonly maxBodyBytes: number;
  readonly maxTtlSeconds: number;
  /** Whether DELETE of a message's resource takes back what no browser has yet. */
  readonly withdrawsMessages: boolean;
  /** What this service looks for beyond the rules that all of them share. */
  readonly checks: readonly Check[];
  readonly topicPattern: RegExp;
  readonly refusals: Readonly<Record<WebPushProblem, Answer>>;
  /** A new subscription's id, as it looks in this service's endpoints. */
  newId(sentinel: string): string;
  /** Path and query of the endpoint of this subscription. */
  pathOf(id: string): string;
  /** The subscription that a path names; null when it is no subscription's path. */
  idOf(path: string): string | null;
  acceptance(message: TakenMessage): Answer;
  /** The service's frame around any status and any code of its own. */
  scripted(status: number, code: string): Answer;
}
