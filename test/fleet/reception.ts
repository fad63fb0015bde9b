import type { SeededRandom } from '../seeded-random.ts';
import type { AppProcess } from './app-process.ts';
import type { Diary } from './diary.ts';
import type { Arrival, Handset } from './handset.ts';
import type { Session } from './session.ts';
import type { Steadiness } from './steadiness.ts';
import type { Surroundings } from './surroundings.ts';

export interface ReceptionOptions {
  readonly around: Surroundings;
  readonly handset: Handset;
  readonly diary: Diary;
  readonly random: SeededRandom;
  readonly session: Session;
  readonly steadiness: Steadiness;
}

const TAPPED = 0.3;

/**
 * The pushes that come to an app, each handed to its client and shown where the client says so;
 * what it says is held against who is signed in from the question to the answer.
 */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #shown = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** What was shown, by the numbers of the messages. */
  get shown(): ReadonlySet<number> {
    return this.#shown;
  }

  /** Takes all that waits on the phone. */
  takeAll(process: AppProcess): void {
    const { handset } = this.#options;
    for (let arrival = handset.take(); arrival !== null; arrival = handset.take()) {
      const received = this.#receive(process, arrival).finally(() => {
        this.#underWay.delete(received);
      });
      this.#underWay.add(received);
    }
  }

  /** Resolves when all that was taken is dealt with. */
  async rest(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** S61: what had been shown to somebody has gone from the screen when a call signs them out. */
  checkScreen(calledAtMs: number): void {
    const { handset, session } = this.#options;
    const left = handset.screen.find(
      ({ userId, atMs }) => atMs < calledAtMs && !session.possible.has(userId),
    );
    if (left !== undefined) this.#accuse(`still shows message ${left.number} for ${left.userId}`);
  }

  async #receive(process: AppProcess, arrival: Arrival): Promise<void> {
    const { around, handset, diary, random, session } = this.#options;
    const { envelope, number } = arrival;
    const watch = session.watch();
    const verdict = await process.call((client) => client.received(envelope));
    watch.end();
    if (verdict === null) return handset.putBack(arrival);
    const userId = envelope.rcpt === undefined ? null : around.book.userOf(envelope.rcpt);
    diary.note(`message ${number} for ${userId}: ${verdict.value}`);
    if (verdict.value === 'show') {
      const isAddressee = userId !== null && watch.seen.has(userId);
      if (!isAddressee) this.#accuse(`message ${number} for ${userId} was shown`);
      this.#shown.add(number);
      handset.screen.push({ number, userId: String(userId), atMs: performance.now() });
      await process.call((client) => client.displayed(envelope));
    } else if (this.#mustShow(number, userId)) {
      this.#accuse(`message ${number} for ${userId} was not shown`);
    }
    if (random.chance(TAPPED)) await this.#tap(process, arrival, userId);
  }

  /** S62: a push of somebody else opens nothing. */
  async #tap(
    process: AppProcess,
    { envelope, number }: Arrival,
    userId: string | null,
  ): Promise<void> {
    const watch = this.#options.session.watch();
    const isOpened = await process.call((client) => client.opened(envelope));
    watch.end();
    if (isOpened?.value === true && !watch.seen.has(userId)) {
      this.#accuse(`message ${number} for ${userId} was opened`);
    }
  }

  /** Whether a message was sent to who is here after the server knew that. */
  #mustShow(number: number, userId: string | null): boolean {
    const { around, session, steadiness } = this.#options;
    const message = around.messages.get(number);
    const isKnown = message !== undefined && steadiness.covers(message.begunAtMs);
    return isKnown && userId !== null && userId === session.wanted;
  }

  #accuse(what: string): void {
    const { around, diary } = this.#options;
    around.violations.add(diary, what);
  }
}
