import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, type Device, type Route } from '../device.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { someAtOnce } from '../some-at-once.ts';

export interface LogoutAndSendOptions {
  readonly rounds: number;
  /** So many phones are at it at once. */
  readonly width: number;
  readonly random: () => number;
  readonly onRound?: (rounds: number) => void;
}

export interface LogoutAndSendCounts {
  /** Logouts that were acknowledged, half followed by a message, half with one under way. */
  readonly rounds: number;
  /** Messages that were resolved for the phone before its logout, and stopped at the gate. */
  readonly gated: number;
  /** Pushes of those messages to the token that was signed out. */
  readonly violations: number;
  /** Pushes of the same messages to a phone that is still signed in. */
  readonly witnessed: number;
  /** Phones whose token got a push when they were signed in again. */
  readonly reachable: number;
}

/** One installation writes so often without being slowed down. */
const ROUNDS_PER_PHONE = 100;
/** Messages that may wait for the dispatchers; a longer queue would hide how fresh a look is. */
const ROUNDS_PER_DRAIN = 200;
const LONGEST_PAUSE_MS = 5;
/** Much longer than the messages of one drain are under way. */
const RETRY_AFTER_SECONDS = 600;
const SECOND_MS = 1_000;
const COME_BACK_LATER = {
  kind: 'answer',
  status: 503,
  reason: 'ServiceUnavailable',
  retryAfterSeconds: RETRY_AFTER_SECONDS,
} as const;

/**
 * S57: a phone signs out at one server while another one sends to its user, in turns
 *
 *     after    within 0 to 5 ms of the acknowledgement: the audience is resolved without the phone
 *     before   the provider holds the first attempt back until the logout is acknowledged, refuses
 *              it then, and is to be asked again later: only the gate can stop that retry
 *
 * The phone gets none of these messages; a witness, addressed together with each such user, gets
 * all of them, and the phone is reached as soon as somebody signs in again. Nobody ever signs in
 * twice, so that any push that is accepted for the phone's token is wrong.
 */
export async function raceLogoutsWithSends(
  network: Network,
  options: LogoutAndSendOptions,
): Promise<LogoutAndSendCounts> {
  const witness = apnsToken();
  assertAnswered(await network.device('10.3.0.1').register(witness, 'witness'), 201);
  const routes = [() => network.url, ...network.servers.map((server) => () => server.url)];
  const run = new LogoutAndSend(network, options, routes);
  while (run.rounds < options.rounds) {
    const upTo = Math.min(run.rounds + ROUNDS_PER_DRAIN, options.rounds);
    await Promise.all(Array.from({ length: options.width }, () => run.work(upTo)));
    await network.drain();
    await network.clock.advance(RETRY_AFTER_SECONDS * SECOND_MS);
    await network.drain();
    await run.assertGated();
  }
  await run.end();
  return run.counts(witness.value);
}

/** A phone, what became of it, and how often it was used. */
interface Subject {
  readonly phone: Device;
  readonly token: string;
  rounds: number;
}

class LogoutAndSend {
  readonly #network: Network;
  readonly #options: LogoutAndSendOptions;
  readonly #routes: readonly Route[];
  readonly #idle: Subject[] = [];
  readonly #tokens: string[] = [];
  #started = 0;
  #phones = 0;
  #expectedWitnessed = 0;
  #gated = 0;
  /** Messages whose retry the gate has to stop. */
  #heldBack: string[] = [];

  constructor(network: Network, options: LogoutAndSendOptions, routes: readonly Route[]) {
    this.#network = network;
    this.#options = options;
    this.#routes = routes;
  }

  get rounds(): number {
    return this.#started;
  }

  /** Takes rounds until so many have been started by all. */
  async work(upTo: number): Promise<void> {
    while (this.#started < upTo) {
      this.#started += 1;
      const round = this.#started;
      const subject = this.#idle.pop() ?? (await this.#enrol());
      await this.#round(subject, round);
      subject.rounds += 1;
      if (subject.rounds < ROUNDS_PER_PHONE) this.#idle.push(subject);
      else await this.#reach(subject);
      this.#options.onRound?.(round);
    }
  }

  /** Shows of each message that was held back that it ended at the gate, and for what reason. */
  async assertGated(): Promise<void> {
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    await someAtOnce(heldBack.length, this.#options.width, async (index) => {
      const report = await this.#network.backEnd.report(heldBack[index] ?? assert.fail());
      assertConserved(report);
      assert.deepEqual(report['reasons'], { skipped: { owner_changed: 1 } });
      this.#gated += 1;
    });
  }

  /** Shows of the last phones that they could have been reached. */
  async end(): Promise<void> {
    for (const subject of this.#idle.splice(0)) await this.#reach(subject);
    await this.#network.drain();
  }

  counts(witness: string): LogoutAndSendCounts {
    const subjects = new Set(this.#tokens);
    const pushes = acceptedPushes(this.#network.journal);
    const reaching = pushes.filter(({ body }) => JSON.stringify(body).includes('"reach"'));
    const wrong = pushes.filter(
      (push) => subjects.has(push.token ?? '') && !reaching.includes(push),
    );
    const reached = new Set(reaching.map((push) => push.token).filter((one) => one !== witness));
    const witnessed = new Set(
      pushes.filter((push) => push.token === witness).map((push) => JSON.stringify(push.body)),
    );
    assert.equal(wrong.length, 0, JSON.stringify(wrong[0]));
    assert.equal(reached.size, subjects.size, 'every phone could have been reached');
    assert.equal(witnessed.size, this.#expectedWitnessed, 'every message was sent');
    return {
      rounds: this.#started,
      gated: this.#gated,
      violations: wrong.length,
      witnessed: witnessed.size,
      reachable: reached.size,
    };
  }

  async #enrol(): Promise<Subject> {
    this.#phones += 1;
    const token = apnsToken();
    const address = `10.4.${this.#phones >> 8}.${this.#phones & 255}`;
    const phone = this.#network.device(address);
    assertAnswered(await phone.sync({ token }), 201);
    this.#tokens.push(token.value);
    return { phone, token: token.value, rounds: 0 };
  }

  async #round(subject: Subject, round: number): Promise<void> {
    assertAnswered(await subject.phone.signIn(`user-${round}`), 200);
    // Pairs of rounds, so that each order is met with either server in either part.
    const isAfter = Math.floor(round / 2) % 2 === 0;
    if (isAfter) await this.#sendAfterLogout(subject, round);
    else await this.#sendBeforeLogout(subject, round);
  }

  async #sendAfterLogout({ phone }: Subject, round: number): Promise<void> {
    const [out, send] = this.#nodes(round);
    assertAnswered(await phone.at(out).signOut(), 204);
    await delay(this.#options.random() * LONGEST_PAUSE_MS);
    await this.#send(send, `user-${round}`, `round-${round}`);
  }

  async #sendBeforeLogout({ phone, token }: Subject, round: number): Promise<void> {
    const [out, send] = this.#nodes(round);
    const { faults } = this.#network.apns;
    faults.schedule({ times: 1, match: { token }, fault: COME_BACK_LATER });
    using hold = faults.hold({ token }, 'answer');
    this.#heldBack.push(await this.#send(send, `user-${round}`, `round-${round}`));
    await hold.arrived();
    assertAnswered(await phone.at(out).signOut(), 204);
  }

  async #reach({ phone, token }: Subject): Promise<void> {
    assertAnswered(await phone.signIn(token), 200);
    const [, send] = this.#nodes(0);
    await this.#send(send, token, `reach-${token}`, 'reach');
  }

  async #send(route: Route, userId: string, number: string, purpose = 'round'): Promise<string> {
    const content = { title: 'Hello', data: { number, purpose } };
    this.#expectedWitnessed += 1;
    return this.#network.backEndAt(route).sendToUsers([userId, 'witness'], content);
  }

  /** Where this round signs out, and another one that sends; the same where there is one. */
  #nodes(round: number): readonly [Route, Route] {
    const { length } = this.#routes;
    const [out, send] = [this.#routes[round % length], this.#routes[(round + 1) % length]];
    assert(out !== undefined && send !== undefined);
    return [out, send];
  }
}
