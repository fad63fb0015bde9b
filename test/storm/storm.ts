import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import type { Answer } from '../answer.ts';
import { KillablePostgres } from '../crash/killable-postgres.ts';
import { untilAnswered } from '../crash/until-answered.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { AnswerTally } from '../races/answer-tally.ts';
import { holdersOf } from '../races/token-claim.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import { Outages } from './outages.ts';
import { RegistryBook } from './registry-book.ts';
import { SentMessages, toObserved } from './sent-messages.ts';
import { startRelay, type Relay, type Weather } from './relay.ts';
import { ServerFleet } from './server-fleet.ts';
import { StormPhone } from './storm-phone.ts';
import { repeat, togetherFor } from './together.ts';

export interface StormOptions {
  readonly durationMs: number;
  readonly phones: number;
  /** So many processes serve the API, and so many send. */
  readonly servers: number;
  readonly weather: Weather;
  readonly random: SeededRandom;
  readonly onProgress?: (line: string) => void;
}

export interface StormCounts {
  readonly statements: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly resets: number;
  readonly duplicates: number;
  readonly messages: number;
  readonly pushes: number;
  readonly databaseCrashes: number;
  readonly serverKills: number;
  readonly installations: number;
}

const LOOK_MS = 200;
const PROGRESS_MS = 10_000;
const SENDERS = 4;
const SEND_PAUSE_MS = 200;
const MOST_ADDRESSED = 5;
const RETRY_STEP_MS = 30_000;
/** A failure bound for the last message. */
const PATIENCE_MS = 60_000;

/**
 * S92: phones do whatever people do, over a network that delays, breaks, doubles and reorders,
 * while PostgreSQL and the servers are killed again and again. Every push is held against what had
 * been acknowledged before its message was sent; when it is quiet again, the registry has to hold
 * for each phone what it said last. Throws at the first violation.
 */
export async function runStorm(options: StormOptions): Promise<StormCounts> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await KillablePostgres.start());
  const logger = createLogger('silent');
  const network = stack.use(await startNetwork({ database, role: 'api', logger }));
  const fleet = stack.use(new ServerFleet(network, options.random, options.servers));
  await fleet.start();
  const { weather, random } = options;
  const relay = stack.use(await startRelay({ weather, random, target: () => fleet.url() }));
  const outages = new Outages({ database, fleet, random });
  return await new Storm({ options, outages, network, fleet, relay }).run();
}

interface StormParts {
  readonly options: StormOptions;
  readonly outages: Outages;
  readonly network: Network;
  readonly fleet: ServerFleet;
  readonly relay: Relay;
}

/**
 * The course of a storm:
 *
 *     rage     phones, senders, killers and the observer, until the time is over
 *     quiet    everything is up again, nothing is under way any more
 *     account  the registry holds what was acknowledged, each accepted message has come to its end
 *     settle   phones repeat what counts and was never acknowledged, until it is
 *     compare  the registry with the book, then what a message to everybody reaches
 */
class Storm {
  readonly #parts: StormParts;
  readonly #book = new RegistryBook();
  readonly #answers = new AnswerTally();
  readonly #phones: readonly StormPhone[];
  readonly #users: readonly string[];
  readonly #sent: SentMessages;
  #observed = 0;
  #pushes = 0;
  #installations = 0;

  constructor(parts: StormParts) {
    this.#parts = parts;
    this.#sent = new SentMessages(parts.network);
    const { phones, random } = parts.options;
    this.#users = Array.from({ length: Math.ceil(phones / 2) }, (_, index) => `user-${index}`);
    this.#phones = Array.from(
      { length: phones },
      (_, index) =>
        new StormPhone({
          book: this.#book,
          random,
          users: this.#users,
          install: () => this.#install(index),
          now: () => parts.network.clock.now().getTime(),
          onTokenDied: (token) => this.#killToken(token),
          onAnswer: (answer) => this.#answers.add(answer),
        }),
    );
  }

  async run(): Promise<StormCounts> {
    const { fleet, relay, outages } = this.#parts;
    await this.#rage();
    await relay.calm();
    await Promise.all(this.#phones.map((phone) => phone.rest()));
    await someAtOnce(this.#phones.length, 16, (index) => this.#compareAcknowledged(index));
    await this.#account();
    await Promise.all(this.#phones.map((phone) => phone.settle()));
    await fleet.drain();
    this.#observe();
    this.#answers.assertOnlyOutages();
    this.#sent.answers.assertOnlyOutages();
    await someAtOnce(this.#phones.length, 16, (index) => this.#compare(index));
    await this.#sendToEverybody();
    fleet.assertNoneDied();
    return {
      statements: this.#answers.byCode,
      ...relay.counts,
      messages: this.#sent.accepted,
      pushes: this.#pushes,
      databaseCrashes: outages.databaseCrashes,
      serverKills: outages.serverKills,
      installations: this.#installations,
    };
  }

  async #rage(): Promise<void> {
    const { options, outages } = this.#parts;
    await togetherFor(options.durationMs, (signal) => [
      ...this.#phones.map((phone) => phone.live(signal)),
      ...outages.strike(signal),
      ...Array.from({ length: SENDERS }, () =>
        repeat(
          signal,
          () => SEND_PAUSE_MS,
          () => this.#send(),
        ),
      ),
      repeat(
        signal,
        () => LOOK_MS,
        async () => this.#observe(),
      ),
      repeat(
        signal,
        () => PROGRESS_MS,
        async () => this.#tell(),
      ),
    ]);
  }

  #install(index: number) {
    this.#installations += 1;
    const { network, relay } = this.#parts;
    return network.device(`10.6.${index >> 8}.${index & 255}`, () => relay.url);
  }

  #killToken(token: string): void {
    const { apns, clock } = this.#parts.network;
    apns.devices.set(token, { kind: 'unregistered', atMs: clock.now().getTime() });
  }

  /** A message that is not accepted may still be sent: its answer may be what was lost. */
  async #send(): Promise<void> {
    const { network, fleet, options } = this.#parts;
    const { random } = options;
    const count = 1 + random.below(MOST_ADDRESSED);
    const users = new Set(Array.from({ length: count }, () => random.pick(this.#users)));
    const number = this.#book.beginMessage();
    const content = { title: 'Hello', data: { number: String(number) } };
    const body = { audience: { users: [...users] }, content };
    await this.#sent.send(
      network.backEndAt(() => fleet.url()),
      number,
      body,
    );
  }

  /** Holds what providers took since the last look against the book. */
  #observe(): void {
    const { journal } = this.#parts.network;
    for (const push of acceptedPushes(journal, this.#observed)) {
      this.#observed = push.sequence;
      this.#pushes += 1;
      const objection = this.#book.objection(toObserved(push));
      assert.equal(objection, null, JSON.stringify(push));
    }
  }

  #tell(): void {
    const { options, outages } = this.#parts;
    options.onProgress?.(
      `${this.#pushes} pushes of ${this.#sent.accepted} messages, ` +
        `${outages.databaseCrashes} crashes of PostgreSQL, ${outages.serverKills} of servers, ` +
        `answers ${JSON.stringify(this.#answers.byCode)}`,
    );
  }

  /** What was acknowledged is there before anybody repeats it. */
  async #compareAcknowledged(index: number): Promise<void> {
    const phone = this.#phones[index] ?? assert.fail();
    const { id } = phone.device;
    const { body } = await this.#read(`/v1/installations/${id}`);
    // Both are missing as well where the server knows nothing of the installation.
    const user = (body['user']?.['id'] ?? null) as string | null;
    const masked = (body['token']?.['masked'] ?? null) as string | null;
    const users = this.#book.possible(id, 'user');
    assert(users.includes(user), `${id}: ${user} is none of ${users.join()}`);
    const values = this.#book.possible(id, 'token');
    const tokens = values.map((value) => (value === null ? null : fingerprint({ value })));
    assert(tokens.includes(masked), `${id}: ${masked} is none of ${tokens.join()}`);
    for (const former of phone.former) await this.#compareFormer(former.id);
  }

  /** Every accepted message ends while leases run out and what is to be tried again comes due. */
  async #account(): Promise<void> {
    const { network, fleet } = this.#parts;
    await this.#sent.untilFinished(async () => {
      await network.clock.advance(RETRY_STEP_MS);
      await fleet.drain();
    });
    this.#observe();
  }

  /** The API beside the fleet may have lost its connections with the database. */
  #read(path: string): Promise<Answer> {
    return untilAnswered(() => this.#parts.network.backEnd.get(path));
  }

  /** What the registry holds for a phone is what the phone said last. */
  async #compare(index: number): Promise<void> {
    const phone = this.#phones[index] ?? assert.fail();
    const { network } = this.#parts;
    const { id } = phone.device;
    const seen = await network.backEnd.installation(id);
    const user = this.#book.latest(id, 'user')?.user ?? null;
    assert.equal(seen['user']?.['id'] ?? null, user, `phone ${index}: its user`);
    assert.equal(seen['token']?.['masked'], fingerprint(phone.token), `phone ${index}: its token`);
    assert.equal(seen['token']?.['status'], 'live', `phone ${index}: the state of its token`);
    const holders = await holdersOf(network, phone.token);
    assert.deepEqual(
      holders.map((holder) => holder.id),
      [id],
    );
    for (const former of phone.former) await this.#compareFormer(former.id);
  }

  /** One that was deleted with its app may have come to the server or not. */
  async #compareFormer(id: string): Promise<void> {
    const possible = this.#book.possible(id, 'user');
    const answer = await this.#read(`/v1/installations/${id}`);
    if (answer.status === 404) {
      assert(possible.includes(null));
      return;
    }
    const user = answer.body['user'] as unknown as { readonly id: string } | null;
    assert(possible.includes(user?.id ?? null), `${id}: ${user?.id} is none of ${possible.join()}`);
  }

  /** A message to all users reaches every phone on which one is signed in, and no other. */
  async #sendToEverybody(): Promise<void> {
    const { network, fleet } = this.#parts;
    const before = network.journal.counters.received;
    const number = this.#book.beginMessage();
    const content = { title: 'Hello', data: { number: String(number) } };
    const id = await network.backEnd.sendToUsers(this.#users, content);
    await fleet.drain();
    // On a machine that is busy a provider may seem out of reach, and be left alone for a moment.
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await this.#isFinished(id)) && performance.now() < deadline) await fleet.drain();
    this.#observe();
    const reached = new Set(
      acceptedPushes(network.journal, before)
        .filter((push) => toObserved(push).number === number)
        .map((push) => push.token),
    );
    for (const phone of this.#phones) {
      const isSignedIn = typeof this.#book.latest(phone.device.id, 'user')?.user === 'string';
      assert.equal(reached.has(phone.token.value), isSignedIn);
    }
  }

  async #isFinished(id: string): Promise<boolean> {
    return (await this.#parts.network.backEnd.report(id))['finished_at'] !== null;
  }
}
