import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '@homing/simulators';
import type { AnswerBody } from '../answer.ts';
import type { BackEnd } from '../back-end.ts';
import { assertConserved } from '../conservation.ts';
import { untilAnswered } from '../crash/until-answered.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { AnswerTally } from '../races/answer-tally.ts';
import { someAtOnce } from '../some-at-once.ts';
import type { ObservedPush } from './registry-book.ts';

const LOOK_MS = 200;
/** A failure bound: the leases of killed workers run out after six seconds. */
const PATIENCE_MS = 60_000;

/** The messages of a storm's back ends, and what has to become of those that were accepted. */
export class SentMessages {
  readonly answers = new AnswerTally();
  readonly #network: Network;
  /** Messages that were answered with 202, by their ids, with their numbers. */
  readonly #numbers = new Map<string, number>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** How many were answered with 202. */
  get accepted(): number {
    return this.#numbers.size;
  }

  /** The numbers of those. */
  get numbers(): readonly number[] {
    return [...this.#numbers.values()];
  }

  /** Sends once; an answer may be lost, and a refusal for any reason but an outage is a failure. */
  async send(backEnd: BackEnd, number: number, body: unknown): Promise<void> {
    const answer = await backEnd.request('POST', '/v1/notifications', body).catch(() => null);
    if (answer === null) return;
    this.answers.add(answer);
    const { status } = answer;
    assert(status === 202 || status === 503, JSON.stringify(answer.body));
    if (status === 202) this.#numbers.set(answer.body['id'] as unknown as string, number);
  }

  /**
   * Rule R14: each accepted message comes to its end, each of its deliveries is told of with a
   * state, and those that are told of as accepted were taken by a provider. Takes a step between
   * two looks, for what has to come due; throws at what has no end within a minute.
   */
  async untilFinished(step: () => Promise<void>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let open = [...this.#numbers.keys()];
    while (open.length > 0) {
      assert(performance.now() < deadline, `never finished: ${open.join()}`);
      await step();
      const ended = await someAtOnce(open.length, 16, (index) =>
        this.#isFinished(open[index] ?? assert.fail()),
      );
      open = open.filter((_, index) => ended[index] !== true);
      if (open.length > 0) await delay(LOOK_MS);
    }
    const taken = takenByNumber(this.#network);
    const sent = [...this.#numbers];
    await someAtOnce(sent.length, 16, async (index) => {
      const [id, number] = sent[index] ?? assert.fail();
      await this.#assertAddsUp(id, taken.get(number)?.size ?? 0);
    });
  }

  async #isFinished(id: string): Promise<boolean> {
    const { status } = await this.#report(id);
    return (status as unknown as string) === 'finished';
  }

  async #assertAddsUp(id: string, taken: number): Promise<void> {
    const report = await this.#report(id);
    assertConserved(report);
    const counts = report['counts'] as unknown as Readonly<Record<string, number>>;
    assert.deepEqual([counts['pending'], counts['retrying']], [0, 0], JSON.stringify(report));
    const accepted = counts['accepted'] ?? Number.NaN;
    assert(accepted <= taken, `${id}: ${accepted} told of as accepted, ${taken} were`);
  }

  /** The API beside the storm's own servers may have lost its connections with the database. */
  async #report(id: string): Promise<AnswerBody> {
    const { backEnd } = this.#network;
    return (await untilAnswered(() => backEnd.get(`/v1/notifications/${id}`))).body;
  }
}

/** The tokens that providers took a push for, by the number of its message. */
function takenByNumber({ journal }: Network): ReadonlyMap<number, ReadonlySet<string>> {
  const groups = Map.groupBy(acceptedPushes(journal).map(toObserved), (push) => push.number);
  const entries = [...groups].map(
    ([number, pushes]) => [number, new Set(pushes.map(({ token }) => token))] as const,
  );
  return new Map(entries);
}

/** A push of a storm's message as the book judges it. */
export function toObserved({ token, body, atMs }: Entry): ObservedPush {
  const payload = body as {
    readonly homing: { readonly rcpt: string };
    readonly number: string;
  };
  return { token: token ?? '', rcpt: payload.homing.rcpt, number: Number(payload.number), atMs };
}
