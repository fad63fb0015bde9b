import { readAnswer } from './answer.ts';
import { base64url } from './base64url.ts';
import type { Emit } from './emitter.ts';
import { freshIdentity } from './identity.ts';
import { UNKNOWN, type Live } from './live.ts';
import type { Memory, ProofMembers } from './memory.ts';
import type { UpdateMemory } from './memory-store.ts';
import { backoffMs, fullAllowance, spend, type Allowance } from './pace.ts';
import { isDue, plan, textOf, type Prepared } from './plan.ts';
import type { ClientAnswer, Ports } from './ports.ts';
import { clearScreen } from './screen.ts';
import { settle, type Settled } from './settle.ts';
import { stateOf, type StateOptions } from './state.ts';
import { describe, toRequest, type Sending } from './step.ts';

/** Vouches for a user of an installation; may reject. */
export type Voucher = (installationId: string) => Promise<ProofMembers>;

export interface TransmitterOptions extends StateOptions {
  readonly key: string;
}

/** After so long there is no answer, of the server or of whoever vouches. */
const PATIENCE_MS = 30_000;
const INTERRUPTED = 'interrupted';
/** So often in a row the same thing may be told differently at once. */
const REPEATS_AT_ONCE = 2;

/**
 * Brings the server to what the memory says. Of all contexts one at a time takes a step:
 *
 *   prepare   the complete state and its digest, from the memory and what this process knows
 *   plan      what is next; what it takes is durable then
 *   send      one request, or a question for a proof
 *   settle    the memory after the answer; when the next step may be taken
 *
 * until there is nothing to do before a time or an event.
 */
export class Transmitter implements AsyncDisposable {
  readonly #ports: Ports;
  readonly #update: UpdateMemory;
  readonly #options: TransmitterOptions;
  readonly #emit: Emit;
  readonly #vouchers = new Map<string, Voucher>();
  #live: Live = UNKNOWN;
  #prepared: Prepared | null = null;
  #allowance: Allowance;
  #failures = 0;
  #repeats = 0;
  #proofFailures = 0;
  /** The state that was last said to be registered. */
  #registered: string | null = null;
  #running: Promise<void> | null = null;
  #isAsked = false;
  #isEnded = false;
  #cancelTimer: () => void = () => {};
  /** What was planned in an earlier one is not begun any more. */
  #epoch = 0;
  /** Of those who wait for something. */
  readonly #interrupts = new Set<() => void>();

  constructor(ports: Ports, update: UpdateMemory, options: TransmitterOptions, emit: Emit) {
    this.#ports = ports;
    this.#update = update;
    this.#options = options;
    this.#emit = emit;
    this.#allowance = fullAllowance(ports.time.now());
  }

  get live(): Live {
    return this.#live;
  }

  /** Null when there is nothing under way. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  learn(news: Partial<Live>): void {
    this.#live = { ...this.#live, ...news };
  }

  /** From now on somebody can be asked to vouch for a user. */
  vouch(userId: string, voucher: Voucher): void {
    this.#vouchers.set(userId, voucher);
    this.learn({ vouched: new Set(this.#vouchers.keys()) });
  }

  /** Looks for what there is to do; `atOnce` ends the wait after failures. */
  poke(atOnce: boolean): void {
    if (atOnce) this.learn({ sendAt: 0, proveAt: 0 });
    this.#isAsked = true;
    this.#running ??= this.#run();
  }

  /** Gives up what is waited for or about to begin: something else has to go out first. */
  interrupt(): void {
    this.#epoch += 1;
    for (const interrupt of this.#interrupts) interrupt();
  }

  /** Asks what the server holds, whatever else is under way; null for no answer. */
  async ask(memory: Memory): Promise<ClientAnswer | null> {
    const asked = { method: 'GET', path: '', body: null } as const;
    const request = toRequest(memory, this.#options.key, asked);
    const answer = await this.#patiently((signal) =>
      this.#ports.transport(request, signal).catch(() => null),
    );
    return answer === INTERRUPTED ? null : answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#cancelTimer();
    this.interrupt();
    await this.#running;
  }

  /** Whether the server has acknowledged everything that can be told to it. */
  async isRegistered(): Promise<boolean> {
    return this.#isRegistered(await this.#read(), await this.#prepare());
  }

  async #run(): Promise<void> {
    while (this.#isAsked && !this.#isEnded) {
      this.#isAsked = false;
      let goesOn = true;
      while (goesOn) goesOn = await this.#tryStep();
    }
    this.#running = null;
  }

  async #tryStep(): Promise<boolean> {
    try {
      return await this.#ports.exclusive(() => this.#step());
    } catch (error) {
      this.#fail({ code: 'storage', detail: String(error) });
      this.#wakeAt(this.#live.sendAt);
      return false;
    }
  }

  async #step(): Promise<boolean> {
    if (this.#isEnded) return false;
    const epoch = this.#epoch;
    const prepared = await this.#prepare();
    const now = this.#ports.time.now();
    const [memory, step] = await this.#update((held) => {
      const planned = plan(held, this.#live, prepared, now, this.#options);
      return [planned[0], planned];
    });
    if (epoch !== this.#epoch) return true;
    switch (step.kind) {
      case 'idle':
        this.#rest(memory, prepared, step.until);
        return false;
      case 'again':
        return true;
      case 'prove':
        await this.#prove(memory, step.userId);
        return true;
      case 'logout':
      case 'packet':
      case 'topic':
      case 'receipts':
        await this.#send(memory, step);
        return true;
    }
  }

  async #prepare(): Promise<Prepared | null> {
    const state = stateOf(await this.#read(), this.#live, this.#options);
    if (state === null) return null;
    const text = textOf(state);
    if (this.#prepared?.text !== text) {
      const bytes = await this.#ports.cryptography.sha256(new TextEncoder().encode(text));
      this.#prepared = { state, text, digest: base64url(bytes) };
    }
    return this.#prepared;
  }

  #read(): Promise<Memory> {
    return this.#update((memory) => [memory, memory]);
  }

  async #prove({ id }: Memory, userId: string): Promise<void> {
    let why = 'timeout';
    const proof = await this.#patiently<ProofMembers>(async () => {
      try {
        return (await this.#vouchers.get(userId)?.(id)) ?? null;
      } catch (error) {
        why = String(error);
        return null;
      }
    });
    if (proof === INTERRUPTED) return;
    if (proof === null) {
      this.#report('proof_failed', why);
      const waitMs = backoffMs(this.#proofFailures, this.#random());
      this.#proofFailures += 1;
      this.learn({ proveAt: this.#ports.time.now() + waitMs });
      return;
    }
    this.#proofFailures = 0;
    await this.#update((memory) => [withProof(memory, id, userId, proof), null]);
  }

  async #send(memory: Memory, step: Sending): Promise<void> {
    const { time, transport, cryptography } = this.#ports;
    const { waitMs, ...allowance } = spend(this.#allowance, time.now());
    this.#allowance = allowance;
    if (waitMs > 0) return this.learn({ sendAt: time.now() + waitMs });
    const request = toRequest(memory, this.#options.key, describe(step));
    const answer = await this.#patiently((signal) => transport(request, signal).catch(() => null));
    if (answer === INTERRUPTED) return;
    const spare = freshIdentity(cryptography);
    const around = { vouched: this.#live.vouched, spare, now: time.now() };
    const settled = await this.#update((held) => {
      if (held.id !== memory.id) return [held, null];
      const settled = settle(held, step, readAnswer(answer), around);
      return [settled.memory, settled];
    });
    if (settled !== null) this.#conclude(settled);
  }

  #conclude({ live, pace, error, signedOut }: Settled): void {
    this.learn(live);
    if (signedOut.length > 0) void clearScreen(this.#ports.platform, this.#update);
    for (const event of signedOut) this.#emit('signed_out', event);
    if (pace.kind === 'later') return this.#fail(error, pace.atLeastMs);
    this.#failures = 0;
    this.#repeats = pace.kind === 'on' ? 0 : this.#repeats + 1;
    const tooMany = this.#repeats - REPEATS_AT_ONCE;
    const waitMs = tooMany > 0 ? backoffMs(tooMany - 1, this.#random()) : 0;
    this.learn({ sendAt: this.#ports.time.now() + waitMs });
    if (error !== null) this.#report(error.code, error.detail);
  }

  #fail(error: Settled['error'], atLeastMs = 0): void {
    const waitMs = Math.max(atLeastMs, backoffMs(this.#failures, this.#random()));
    this.#failures += 1;
    this.learn({ sendAt: this.#ports.time.now() + waitMs });
    if (error !== null) this.#report(error.code, error.detail);
  }

  #report(code: string, detail: string): void {
    this.#emit('error', { code, detail, at: new Date(this.#ports.time.now()) });
  }

  #rest(memory: Memory, prepared: Prepared | null, until: number | null): void {
    if (until !== null) this.#wakeAt(until);
    const text = this.#isRegistered(memory, prepared) ? (prepared?.text ?? null) : null;
    if (text !== null) this.learn({ acknowledged: text });
    if (text !== null && text !== this.#registered) {
      this.#emit('registered', { users: memory.users.map(({ id }) => id) });
    }
    this.#registered = text;
  }

  #isRegistered(memory: Memory, prepared: Prepared | null): boolean {
    const { logouts, users, topics } = memory;
    return (
      prepared !== null &&
      prepared.text !== this.#live.refused &&
      !isDue(memory, this.#live, prepared) &&
      logouts.length === 0 &&
      users.every(({ isLinked }) => isLinked) &&
      topics.every(({ isAcknowledged }) => isAcknowledged)
    );
  }

  #wakeAt(instant: number): void {
    const { time } = this.#ports;
    this.#cancelTimer();
    if (this.#isEnded) return;
    this.#cancelTimer = time.after(Math.max(1, instant - time.now()), () => this.poke(false));
  }

  #random(): number {
    const [a = 0, b = 0] = this.#ports.cryptography.randomBytes(2);
    return (a * 256 + b) / 65_536;
  }

  /** What a task comes to; null when it takes too long. */
  async #patiently<T extends ClientAnswer | ProofMembers>(
    task: (signal: AbortSignal) => Promise<T | null>,
  ): Promise<T | null | typeof INTERRUPTED> {
    const abort = new AbortController();
    let isInterrupted = false;
    const interrupt = (): void => {
      isInterrupted = true;
      abort.abort();
    };
    this.#interrupts.add(interrupt);
    const cancel = this.#ports.time.after(PATIENCE_MS, () => abort.abort());
    const givenUp = new Promise<null | typeof INTERRUPTED>((resolve) => {
      abort.signal.addEventListener('abort', () => resolve(isInterrupted ? INTERRUPTED : null));
    });
    try {
      return await Promise.race([task(abort.signal), givenUp]);
    } finally {
      this.#interrupts.delete(interrupt);
      cancel();
    }
  }
}

/** Unless somebody else is wanted meanwhile, or another installation. */
function withProof(
  memory: Memory,
  installationId: string,
  userId: string,
  proof: ProofMembers,
): Memory {
  if (memory.id !== installationId) return memory;
  const users = memory.users.map((user) =>
    user.id === userId && !user.isLinked ? { ...user, proof, isWorn: false } : user,
  );
  return { ...memory, users };
}
