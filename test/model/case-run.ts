import type { Arrivals } from './arrivals.ts';
import { HistoryCount } from './arrivals.ts';
import type { CaseStep, HistoryCase } from './cases.ts';
import type { Ground } from './ground.ts';
import { History, Violation } from './history.ts';
import type { Nonce } from './operation.ts';
import { inLanes } from './lanes.ts';
import type { Reply } from './registry.ts';

/** What was run of a case, and what was found. */
export interface CaseReport {
  readonly name: string;
  /** Different histories, and those of them in which the last operation arrived at least once. */
  readonly histories: number;
  readonly withLast: number;
  readonly requests: number;
  /** Users that were written to, to see where it goes. */
  readonly sends: number;
  /** Histories in which, at some time, the new owner had been accepted. */
  readonly settled: number;
  readonly violations: readonly Violation[];
}

/** How many requests are under way at once. */
const LANES = 32;

/**
 * Runs histories of a case side by side, one arrival of each at a time. After every arrival the
 * answer is compared with the model's; and for every beginning that was not seen before, the
 * registry is at rest and is looked at whole: its state as the API shows it, and a real send to
 * every user.
 */
export async function runCase(
  ground: Ground,
  historyCase: HistoryCase,
  orders: readonly Arrivals[],
): Promise<CaseReport> {
  const { accountMode = 'exclusive' } = historyCase;
  const count = new HistoryCount(historyCase.operations.length);
  const runs = orders.map((order) => new CaseHistory(ground, historyCase, order));
  let sends = 0;
  const longest = Math.max(...orders.map((order) => order.length));
  for (let arrived = 1; arrived <= longest; arrived += 1) {
    const open = runs.filter((run) => run.isOpen);
    await inLanes(LANES, open, (run) => run.arrive(arrived - 1));
    const fresh = open.filter((run) => run.isOpen && count.add(run.order.slice(0, arrived)));
    const users = fresh.flatMap((run) => run.userIds);
    sends += users.length;
    if (users.length > 0) await ground.postman.send(ground.apps[accountMode], users);
    await inLanes(LANES, fresh, (run) => run.check());
  }
  return {
    name: historyCase.name,
    histories: count.all,
    withLast: count.withLast,
    requests: runs.reduce((sum, run) => sum + run.requests, 0),
    sends,
    settled: runs.filter((run) => run.isSettled).length,
    violations: runs.flatMap((run) => (run.violation === null ? [] : [run.violation])),
  };
}

/** One longest history of a case under way. */
class CaseHistory {
  readonly order: Arrivals;
  readonly #case: HistoryCase;
  readonly #history: History;
  readonly #users: readonly string[];
  /** The nonce of the last `409` to each operation, and the one that an echo went out with. */
  readonly #nonces = new Map<number, Nonce>();
  readonly #echoed = new Map<number, Nonce>();
  violation: Violation | null = null;
  isSettled = false;
  requests = 0;

  constructor(ground: Ground, historyCase: HistoryCase, order: Arrivals) {
    this.order = order;
    this.#case = historyCase;
    this.#history = new History(ground, historyCase.accountMode ?? 'exclusive');
    this.#users = usersOf(historyCase);
  }

  /** False once it failed: what follows a violation says nothing. */
  get isOpen(): boolean {
    return this.violation === null;
  }

  get userIds(): readonly string[] {
    return this.#users.map((user) => this.#history.stage.userId(user));
  }

  async arrive(position: number): Promise<void> {
    const index = this.order[position];
    if (index === undefined) return;
    const operation = this.#resolve(index);
    if (operation === null) return;
    await this.#guarded(async () => {
      this.requests += 1;
      const reply = await this.#history.step(operation);
      if (reply.kind === 'token_held') this.#nonces.set(index, reply.nonce);
      if (index === this.#case.operations.length - 1 && isAccepted(reply)) this.isSettled = true;
    });
  }

  async check(): Promise<void> {
    await this.#guarded(async () => {
      const gone = this.isSettled ? (this.#case.formerUsers ?? []) : [];
      this.#history.checkPushes(this.#users, gone);
      await this.#history.compare();
    });
  }

  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation = error;
    }
  }

  /** An echo that went out is the same packet when it arrives again. */
  #resolve(index: number): CaseStep | null {
    const operation = this.#case.operations[index];
    if (operation === undefined || operation.kind !== 'echo') return operation ?? null;
    const repeated = this.#case.operations[operation.of];
    const takeover = this.#echoed.get(index) ?? this.#nonces.get(operation.of);
    if (repeated?.kind !== 'sync' || takeover === undefined) return null;
    this.#echoed.set(index, takeover);
    return { ...repeated, takeover };
  }
}

function isAccepted(reply: Reply): boolean {
  if (reply.kind === 'synced') return reply.applied.user === true;
  return reply.kind === 'logged_out';
}

function usersOf({ operations }: HistoryCase): readonly string[] {
  const named = operations.flatMap((operation) =>
    operation.kind === 'sync' ? (operation.users ?? []).map(({ user }) => user) : [],
  );
  return [...new Set(named)];
}
