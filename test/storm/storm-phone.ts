import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../answer.ts';
import { untilAnswered } from '../crash/until-answered.ts';
import { apnsToken, type Device } from '../device.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { RegistryBook, Statement } from './registry-book.ts';

export interface StormPhoneOptions {
  readonly book: RegistryBook;
  readonly random: SeededRandom;
  readonly users: readonly string[];
  /** The time that providers note pushes by, in milliseconds. */
  readonly now: () => number;
  /** A fresh installation on this phone. */
  readonly install: () => Device;
  /** The operating system gave the app another token; the former one is dead. */
  readonly onTokenDied: (token: string) => void;
  readonly onAnswer: (answer: Answer) => void;
}

type ReportedToken = ReturnType<typeof apnsToken>;

/** What is sent for a statement, again and again until it is acknowledged or given up. */
interface Packet {
  readonly device: Device;
  readonly statement: Statement;
  readonly body: Readonly<Record<string, unknown>>;
}

const ATTEMPTS = 4;
const MOST_UNDER_WAY = 3;
const LONGEST_PAUSE_MS = 400;
/** A token that moves more often within a day is contested, which is another story. */
const REINSTALLS_PER_TOKEN = 2;
const MOST_ECHOES = 20;

/**
 * A phone in the storm: its user signs in and out and switches, its token changes, its app is
 * deleted and installed again; and it sends without waiting for answers, repeats and gives up.
 */
export class StormPhone {
  readonly #options: StormPhoneOptions;
  readonly #former: Device[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #device: Device;
  #token: ReportedToken;
  #tokenMoves = 0;
  #last: Packet | null = null;

  constructor(options: StormPhoneOptions) {
    this.#options = options;
    this.#device = this.#install();
    this.#token = apnsToken();
    void this.#send({ token: this.#token });
  }

  get device(): Device {
    return this.#device;
  }

  get token(): ReportedToken {
    return this.#token;
  }

  /** Installations that were deleted with their app, without a word to the server. */
  get former(): readonly Device[] {
    return this.#former;
  }

  /** Does things until it is told to stop. */
  async live(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      await delay(random.next() * LONGEST_PAUSE_MS);
      if (this.#underWay.size < MOST_UNDER_WAY) await this.#act();
      else await Promise.race(this.#underWay);
    }
  }

  /** Resolves when nothing that it sent is under way any more. */
  async rest(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /**
   * Repeats what counts and was never acknowledged until it is, like an outbox when all is well
   * again. What was acknowledged is the server's to keep: repeating it would repair a loss.
   */
  async settle(): Promise<void> {
    const { book } = this.#options;
    const { id } = this.#device;
    const token = book.latest(id, 'token');
    const user = book.latest(id, 'user');
    for (const statement of new Set([token, user])) {
      if (statement === null || statement.acknowledged !== null) continue;
      const body = await this.#body(
        statement.user,
        statement.token === undefined ? null : this.#token,
      );
      await this.#untilAcknowledged({ device: this.#device, statement, body });
    }
  }

  async #act(): Promise<void> {
    const { random, users } = this.#options;
    const lot = random.below(100);
    if (lot < 30) await this.#send({ user: random.pick(users) });
    else if (lot < 50) await this.#send({ user: null });
    else if (lot < 65) await this.#send({ token: this.#renewToken() });
    else if (lot < 80) await this.#send({ user: random.pick(users), token: this.#token });
    else if (lot < 95) this.#repeat();
    else await this.#reinstall();
  }

  #install(): Device {
    const device = this.#options.install();
    this.#options.book.open(device.id, device.secret);
    return device;
  }

  #renewToken(): ReportedToken {
    this.#options.onTokenDied(this.#token.value);
    this.#token = apnsToken();
    this.#tokenMoves = 0;
    return this.#token;
  }

  async #reinstall(): Promise<void> {
    const { random, users } = this.#options;
    this.#former.push(this.#device);
    this.#last = null;
    this.#tokenMoves += 1;
    if (this.#tokenMoves > REINSTALLS_PER_TOKEN || random.chance(0.5)) this.#renewToken();
    this.#device = this.#install();
    const user = random.chance(0.5) ? { user: random.pick(users) } : {};
    await this.#send({ token: this.#token, ...user });
  }

  #repeat(): void {
    if (this.#last !== null) this.#follow(this.#transmit(this.#last));
  }

  async #send(said: {
    readonly user?: string | null;
    readonly token?: ReportedToken;
  }): Promise<void> {
    const device = this.#device;
    const seq = device.nextSeq();
    const [user, token] = [said.user, said.token?.value];
    const statement = this.#options.book.begin(device.id, { seq, user, token });
    const body = await this.#body(said.user, said.token ?? null);
    this.#last = { device, statement, body };
    this.#follow(this.#transmit(this.#last));
  }

  async #body(user: string | null | undefined, token: ReportedToken | null) {
    const device = this.#device;
    const assertion = typeof user === 'string' ? await device.assertion(user) : '';
    return {
      ...(token !== null && { token }),
      ...(user !== undefined && { user: user === null ? null : { id: user, assertion } }),
    };
  }

  #follow(work: Promise<void>): void {
    const settled = work.finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** A few attempts, echoes of a nonce included; none after the app was deleted. */
  async #transmit({ device, statement, body }: Packet): Promise<void> {
    let takeover: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await delay(this.#options.random.next() * LONGEST_PAUSE_MS);
      if (device !== this.#device) return;
      const packet = { seq: statement.seq, ...body, ...(takeover !== undefined && { takeover }) };
      const answer = await device.sync(packet).catch(() => null);
      if (answer === null) continue;
      this.#heed(answer, statement);
      if (answer.status < 300) return;
      takeover = answer.body['nonce'];
    }
  }

  async #untilAcknowledged({ device, statement, body }: Packet): Promise<void> {
    let takeover: unknown;
    for (let echo = 0; echo < MOST_ECHOES; echo += 1) {
      const packet = { seq: statement.seq, ...body, ...(takeover !== undefined && { takeover }) };
      const answer = await untilAnswered(() => device.sync(packet));
      this.#heed(answer, statement);
      if (answer.status < 300) return;
      takeover = answer.body['nonce'];
    }
    throw new Error(`Statement ${statement.seq} of ${device.id} was never acknowledged.`);
  }

  #heed(answer: Answer, statement: Statement): void {
    this.#options.onAnswer(answer);
    if (answer.status < 300) this.#options.book.acknowledge(statement, this.#options.now());
  }
}
