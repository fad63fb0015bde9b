import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { KillablePostgres } from '../crash/killable-postgres.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { createSeededRandom, type SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import { Outages } from '../storm/outages.ts';
import { RegistryBook } from '../storm/registry-book.ts';
import { CALM, startRelay, type Relay, type Weather } from '../storm/relay.ts';
import { SentMessages, toObserved } from '../storm/sent-messages.ts';
import { ServerFleet } from '../storm/server-fleet.ts';
import { repeat, togetherFor } from '../storm/together.ts';
import { FleetPhone } from './fleet-phone.ts';
import { RESTLESS, STEADY } from './habits.ts';
import { PushChannel } from './push-channel.ts';
import { compareRegistry } from './registry-comparison.ts';
import { checkPace, requestFigures, type RequestFigures } from './request-figures.ts';
import type { FleetMessage, Surroundings } from './surroundings.ts';
import { SyncTimes, type Conditions, type SyncSummary } from './sync-times.ts';
import { Violations } from './violations.ts';

export interface FleetOptions {
  /** So long the network and the servers are well. */
  readonly calmMs: number;
  /** And so long they are not. */
  readonly faultsMs: number;
  readonly phones: number;
  /** So many processes serve the API, and so many send. */
  readonly servers: number;
  readonly weather: Weather;
  /** The longest pause between two things that happen to one phone. */
  readonly longestPauseMs: number;
  readonly random: SeededRandom;
  readonly onProgress?: (line: string) => void;
}

export interface FleetFigures {
  /** From a token's refresh to its acknowledged sync, in milliseconds. */
  readonly refresh: Readonly<Record<Conditions, SyncSummary>>;
  readonly requests: RequestFigures;
  readonly messages: number;
  readonly pushes: number;
  readonly shown: number;
  /** Of those, what had to be shown: the server knew of the addressee throughout. */
  readonly due: number;
  readonly databaseCrashes: number;
  readonly serverKills: number;
  readonly resets: number;
  readonly duplicates: number;
  readonly installations: number;
}

const LOOK_MS = 100;
const PROGRESS_MS = 10_000;
const SENDERS = 2;
const SEND_PAUSE_MS = 400;
const MOST_ADDRESSED = 5;
const RETRY_STEP_MS = 30_000;
const PUSH_DELAY_MS = 2_000;
/** Every so many stays signed in throughout. */
const STEADY_EVERY = 5;
const WIDTH = 16;
/** Of two copies of a memory the one finds the other by its third turn at the latest. */
const RESTARTS = 5;

/**
 * The real client on many phones, over a network that delays, breaks, doubles and reorders, while
 * PostgreSQL and the servers are killed: the course is that of `Fleet`. Throws with the diaries of
 * the phones at a violation.
 */
export async function runFleet(options: FleetOptions): Promise<FleetFigures> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await KillablePostgres.start());
  const logger = createLogger('silent');
  const network = stack.use(await startNetwork({ database, role: 'api', logger }));
  const branch = (): SeededRandom => createSeededRandom(options.random.below(2 ** 32));
  const servers = stack.use(new ServerFleet(network, branch(), options.servers));
  await servers.start();
  const target = (): string => servers.url();
  const relay = stack.use(await startRelay({ weather: CALM, random: branch(), target }));
  const outages = new Outages({ database, fleet: servers, random: branch() });
  const fleet = new Fleet({ options, network, servers, relay, outages, branch });
  return await fleet.run();
}

interface FleetParts {
  readonly options: FleetOptions;
  readonly network: Network;
  readonly servers: ServerFleet;
  readonly relay: Relay;
  readonly outages: Outages;
  /** A stream of its own for each part, so that no part's choices depend on another's haste. */
  readonly branch: () => SeededRandom;
}

/**
 * The course of a run:
 *
 *     begin    every phone starts its app for the first time
 *     calm     things happen to phones, back ends send
 *     faults   the same, while everything breaks
 *     quiet    all apps are started anew until nothing of a former life is left
 *     account  each accepted message has come to its end, and to its phone
 *     compare  the registry with the model; then what a message to everybody reaches
 */
class Fleet {
  readonly #parts: FleetParts;
  readonly #around: Surroundings;
  readonly #channel: PushChannel;
  readonly #phones: readonly FleetPhone[];
  readonly #book = new RegistryBook();
  readonly #messages = new Map<number, FleetMessage>();
  readonly #times = new SyncTimes();
  readonly #violations = new Violations();
  readonly #sent: SentMessages;
  readonly #senderRandom: SeededRandom;
  #conditions: Conditions = 'calm';
  #observed = 0;
  #pushes = 0;
  #due = 0;

  constructor(parts: FleetParts) {
    const { options, network, relay, branch } = parts;
    this.#parts = parts;
    this.#sent = new SentMessages(network);
    this.#senderRandom = branch();
    this.#channel = new PushChannel(network, branch(), PUSH_DELAY_MS);
    this.#around = {
      app: network.app,
      issuer: network.issuer,
      url: relay.url,
      now: () => network.clock.now().getTime(),
      users: Array.from({ length: Math.ceil(options.phones / 2) }, (_, index) => `user-${index}`),
      channel: this.#channel,
      book: this.#book,
      messages: this.#messages,
      times: this.#times,
      violations: this.#violations,
      conditions: () => this.#conditions,
    };
    this.#phones = Array.from({ length: options.phones }, (_, index) => this.#phone(index));
  }

  async run(): Promise<FleetFigures> {
    const { options, relay, outages } = this.#parts;
    await using stack = new AsyncDisposableStack();
    for (const phone of this.#phones) stack.defer(() => phone.app.end());
    await someAtOnce(this.#phones.length, WIDTH, async (index) => {
      await this.#phones[index]?.begin();
    });
    const begunAtMs = performance.now();
    await togetherFor(options.calmMs, (signal) => this.#live(signal));
    this.#conditions = 'faults';
    relay.turn(options.weather);
    await togetherFor(options.faultsMs, (signal) => [
      ...this.#live(signal),
      ...outages.strike(signal),
    ]);
    await relay.calm();
    this.#conditions = 'calm';
    const requests = requestFigures(this.#phones, performance.now() - begunAtMs);
    checkPace(this.#phones, this.#violations);
    await this.#quiet();
    await this.#account();
    await this.#compare();
    await this.#sendToEverybody();
    this.#parts.servers.assertNoneDied();
    this.#violations.assertNone();
    return this.#figures(requests);
  }

  #phone(index: number): FleetPhone {
    const { options, branch } = this.#parts;
    const random = branch();
    const isSteady = index % STEADY_EVERY === 0;
    return new FleetPhone({
      around: this.#around,
      index,
      random,
      habits: isSteady ? STEADY : RESTLESS,
      longestPauseMs: options.longestPauseMs,
      anyPhone: () => {
        const lot = random.below(options.phones);
        const other = lot % STEADY_EVERY === 0 ? index : lot;
        return this.#phones[other] ?? assert.fail();
      },
    });
  }

  #live(signal: AbortSignal): readonly Promise<void>[] {
    return [
      ...this.#phones.map((phone) => phone.live(signal)),
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
    ];
  }

  async #send(): Promise<void> {
    const random = this.#senderRandom;
    const count = 1 + random.below(MOST_ADDRESSED);
    const users = new Set(Array.from({ length: count }, () => random.pick(this.#around.users)));
    await this.#sendTo(users);
  }

  /** A message that is not accepted may still be sent: its answer may be what was lost. */
  async #sendTo(users: ReadonlySet<string>): Promise<number> {
    const { network, servers } = this.#parts;
    const number = this.#book.beginMessage();
    this.#messages.set(number, { users, begunAtMs: performance.now() });
    const content = { title: 'Hello', data: { number: String(number) } };
    const body = { audience: { users: [...users] }, content };
    await this.#sent.send(
      network.backEndAt(() => servers.url()),
      number,
      body,
    );
    return number;
  }

  /** Holds what providers took since the last look against the book, and brings it to phones. */
  #observe(): void {
    for (const push of acceptedPushes(this.#parts.network.journal, this.#observed)) {
      this.#observed = push.sequence;
      this.#pushes += 1;
      this.#channel.carry(push);
      const observed = toObserved(push);
      if (Number.isNaN(observed.number)) continue;
      const objection = this.#book.objection(observed);
      if (objection === null) continue;
      const owner = this.#channel.owners.get(observed.token);
      const phone = this.#phones.find(({ handset }) => handset === owner) ?? assert.fail();
      this.#violations.add(phone.diary, `message ${observed.number} was sent: ${objection}`);
    }
    this.#violations.assertNone();
  }

  #tell(): void {
    const { options, outages, relay } = this.#parts;
    options.onProgress?.(
      `${this.#conditions}: ${relay.counts.requests} requests, ${this.#pushes} pushes of ` +
        `${this.#sent.accepted} messages, ${outages.databaseCrashes} crashes of PostgreSQL, ` +
        `${outages.serverKills} of servers, ${this.#violations.count} violations`,
    );
  }

  /** The last time all is said already: a start costs a check-in and nothing else. */
  async #quiet(): Promise<void> {
    for (let restart = 1; restart < RESTARTS; restart += 1) await this.#restart();
    const before = this.#phones.map(({ statements }) => statements);
    await this.#restart();
    for (const [index, { statements, diary }] of this.#phones.entries()) {
      const count = statements - (before[index] ?? 0);
      if (count > 1) this.#violations.add(diary, `${count} requests for a start`);
    }
    this.#violations.assertNone();
  }

  async #restart(): Promise<void> {
    await someAtOnce(this.#phones.length, WIDTH, async (index) => {
      await this.#phones[index]?.app.restart();
    });
    this.#violations.assertNone();
  }

  async #account(): Promise<void> {
    const { network, servers } = this.#parts;
    await this.#sent.untilFinished(async () => {
      await network.clock.advance(RETRY_STEP_MS);
      await servers.drain();
    });
    await this.#untilArrived();
    const due = this.#sent.numbers.map((number) => this.#assertArrived(number));
    this.#due = due.reduce((sum, each) => sum + each, 0);
    this.#violations.assertNone();
  }

  async #untilArrived(): Promise<void> {
    this.#observe();
    await this.#channel.rest();
    await Promise.all(this.#phones.map(({ app }) => app.rest()));
  }

  /** Whoever was signed in throughout, as the server knew, got it; tells how many those are. */
  #assertArrived(number: number): number {
    const { users, begunAtMs } = this.#messages.get(number) ?? assert.fail();
    let due = 0;
    for (const { app, diary } of this.#phones) {
      const { userId } = app;
      const isWaiting = userId !== null && users.has(userId) && app.wasKnownAt(begunAtMs);
      if (!isWaiting) continue;
      due += 1;
      if (app.shown.has(number)) continue;
      this.#violations.add(diary, `message ${number} for ${userId} was lost`);
    }
    return due;
  }

  async #compare(): Promise<void> {
    const { network } = this.#parts;
    await compareRegistry({
      network,
      phones: this.#phones,
      book: this.#book,
      channel: this.#channel,
      violations: this.#violations,
    });
    this.#violations.assertNone();
  }

  /** A message to all users is shown on every phone on which one is signed in, and on no other. */
  async #sendToEverybody(): Promise<void> {
    const number = await this.#sendTo(new Set(this.#around.users));
    await this.#account();
    for (const { app, wanted, diary } of this.#phones) {
      const isReachable = wanted.userId !== null && wanted.token !== null;
      if (app.shown.has(number) === isReachable) continue;
      this.#violations.add(diary, `message ${number} for everybody: shown is ${!isReachable}`);
    }
  }

  #figures(requests: RequestFigures): FleetFigures {
    const { relay, outages } = this.#parts;
    const { resets, duplicates } = relay.counts;
    return {
      refresh: {
        calm: this.#times.summary('calm'),
        faults: this.#times.summary('faults'),
      },
      requests,
      messages: this.#sent.accepted,
      pushes: this.#pushes,
      shown: this.#phones.reduce((sum, phone) => sum + phone.shown, 0),
      due: this.#due,
      databaseCrashes: outages.databaseCrashes,
      serverKills: outages.serverKills,
      resets,
      duplicates,
      installations: this.#book.installations.length,
    };
  }
}
