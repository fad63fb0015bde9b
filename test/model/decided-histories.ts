import { isDeepStrictEqual } from 'node:util';
import { decideSync } from '../../packages/server/src/domain/registration.ts';
import type { CaseStep, HistoryCase } from './cases.ts';
import {
  decide,
  decidedSights,
  learned,
  NOTHING_DECIDED,
  type DecidedRegistry,
} from './decided-registry.ts';
import { plainReply, replyInWords } from './observed.ts';
import { describeOperation, type Nonce } from './operation.ts';
import { apply, emptyRegistry, type Registry, type Reply } from './registry.ts';
import { sightInWords, sightsOf } from './sight.ts';

/** What came of walking through every history of a case. */
export interface WalkReport {
  readonly histories: number;
  /** Those in which the last operation arrived at least once. */
  readonly withLast: number;
  /** The first violation in words; null when there was none. */
  readonly violation: string | null;
}

/** Where a history is: the model's registry, the product's, and what clients remember. */
interface Place {
  readonly registry: Registry;
  readonly decided: DecidedRegistry;
  /** The nonce of the last `409` to each operation, and the one that an echo went out with. */
  readonly nonces: ReadonlyMap<number, Nonce>;
  readonly echoed: ReadonlyMap<number, Nonce>;
  /** The last operation was accepted before, so that the former users are gone for good. */
  readonly isSettled: boolean;
}

function startOf({ accountMode = 'exclusive' }: HistoryCase): Place {
  return {
    registry: emptyRegistry(accountMode),
    decided: { ...NOTHING_DECIDED, accountMode },
    nonces: new Map(),
    echoed: new Map(),
    isSettled: false,
  };
}

/**
 * Walks through all histories of a case as a tree of arrivals, and holds the product's decisions
 * against the model in each: the answer, and all that can be seen. Stops at the first violation.
 * Another decision may stand in for the product's.
 */
export function walkCase(historyCase: HistoryCase, decision = decideSync): WalkReport {
  const walk = new Walk(historyCase, decision);
  walk.extend(startOf(historyCase), []);
  return walk;
}

class Walk implements WalkReport {
  readonly #case: HistoryCase;
  readonly #decision: typeof decideSync;
  readonly #left: number[];
  histories = 0;
  withLast = 0;
  violation: string | null = null;

  constructor(historyCase: HistoryCase, decision: typeof decideSync) {
    this.#case = historyCase;
    this.#decision = decision;
    this.#left = historyCase.operations.map(() => 2);
  }

  extend(place: Place, arrived: readonly number[]): void {
    for (const [index, times] of this.#left.entries()) {
      if (times === 0 || this.violation !== null) continue;
      this.#left[index] = times - 1;
      const history = [...arrived, index];
      const next = this.#arrive(place, index, history);
      this.histories += 1;
      if (history.includes(this.#case.operations.length - 1)) this.withLast += 1;
      this.extend(next, history);
      this.#left[index] = times;
    }
  }

  #arrive(place: Place, index: number, history: readonly number[]): Place {
    const resolved = this.#resolve(place, index);
    if (resolved === null) return place;
    const { operation, echoed } = resolved;
    const { registry, reply } = apply(place.registry, operation, 0);
    const { decided, observed } = decide(place.decided, operation, this.#decision);
    if (!isDeepStrictEqual(plainReply(reply), observed.reply)) {
      this.#fail(
        history,
        `${replyInWords(observed.reply)}, not ${replyInWords(plainReply(reply))}`,
      );
      return place;
    }
    const isHeld = reply.kind === 'token_held' && observed.nonce !== null;
    const isLast = index === this.#case.operations.length - 1;
    const next = {
      registry,
      decided: isHeld ? learned(decided, reply.nonce, observed.nonce ?? '') : decided,
      nonces: isHeld ? new Map(place.nonces).set(index, reply.nonce) : place.nonces,
      echoed,
      isSettled: place.isSettled || (isLast && isAccepted(reply)),
    };
    this.#look(next, history);
    return next;
  }

  #look({ registry, decided, isSettled }: Place, history: readonly number[]): void {
    const [shown, due] = [decidedSights(decided), sightsOf(registry)];
    for (const name of new Set([...shown.keys(), ...due.keys()])) {
      const [seen, ought] = [shown.get(name), due.get(name)];
      if (!isDeepStrictEqual(seen, ought)) {
        this.#fail(history, `${name} has ${sightInWords(seen)}, not ${sightInWords(ought)}`);
      }
      const reached = seen === undefined || seen.token === null ? [] : seen.users;
      const former = reached.filter((user) => this.#case.formerUsers?.includes(user));
      if (isSettled && former.length > 0) {
        this.#fail(history, `${former.join()} left and is still reached on ${name}: a LEAK`);
      }
    }
  }

  /** An echo that went out is the same packet when it arrives again. */
  #resolve(place: Place, index: number): { operation: CaseStep; echoed: Place['echoed'] } | null {
    const operation = this.#case.operations[index];
    const { echoed, nonces } = place;
    if (operation === undefined) return null;
    if (operation.kind !== 'echo') return { operation, echoed };
    const repeated = this.#case.operations[operation.of];
    const takeover = echoed.get(index) ?? nonces.get(operation.of);
    if (repeated?.kind !== 'sync' || takeover === undefined) return null;
    return { operation: { ...repeated, takeover }, echoed: new Map(echoed).set(index, takeover) };
  }

  #fail(history: readonly number[], what: string): void {
    const lines = history.map((index) => {
      const operation = this.#case.operations[index];
      if (operation === undefined || operation.kind === 'echo') return `  echo of a packet`;
      return `  ${describeOperation(operation)}`;
    });
    this.violation ??= ['', ...lines, `  ⇒ ${what}`].join('\n');
  }
}

function isAccepted(reply: Reply): boolean {
  return reply.kind === 'logged_out' || (reply.kind === 'synced' && reply.applied.user === true);
}
