import assert from 'node:assert/strict';
import { assertAnswered } from '../answered.ts';
import { apnsToken, type Device } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import { AnswerTally } from './answer-tally.ts';

export interface DeadTokenOptions {
  /** Phones whose token the provider declares dead. */
  readonly count: number;
  readonly random: SeededRandom;
  readonly onRound?: (done: number) => void;
}

export interface DeadTokenCounts {
  readonly declaredDead: number;
  readonly registeredAgain: number;
  readonly retired: number;
  readonly answers: Readonly<Record<string, number>>;
}

/** What a phone does while the provider's word about its token is on the way. */
const FATES = ['silent', 'fresh_token', 'same_token'] as const;
type Fate = (typeof FATES)[number];

interface Subject {
  readonly phone: Device;
  readonly userId: string;
  readonly fate: Fate;
  token: ReturnType<typeof apnsToken>;
}

const WIDTH = 32;
const MINUTE_MS = 60_000;
/** What is confirmed and dead within six hours is only put aside: a check-in may be unwritten. */
const SEVEN_HOURS_MS = 7 * 60 * MINUTE_MS;
const USERS_PER_MESSAGE = 1_000;
/** So many in a hundred live on: a provider that calls all tokens dead would not be believed. */
const WITNESSES_PERCENT = 10;

/**
 * S72: the provider answers 410 for the tokens of many phones while most of them register again,
 * half of these with a fresh token and half with the same. Afterwards no token that was registered
 * again is lost, and none that was not is still in use. Fails the test otherwise.
 */
export async function raceFeedbackWithRegistrations(
  network: Network,
  { count, random, onRound }: DeadTokenOptions,
): Promise<DeadTokenCounts> {
  const answers = new AnswerTally();
  const subjects = await someAtOnce(count, WIDTH, (index) => enrol(network, index));
  const witnesses = Math.ceil((count * WITNESSES_PERCENT) / 100);
  await someAtOnce(witnesses, WIDTH, (index) => enrol(network, count + index));
  await declareDead(network, subjects);

  const order = [...subjects].toSorted(() => random.next() - 0.5);
  const users = Array.from({ length: count + witnesses }, (_, index) => `user-${index}`);
  const again = someAtOnce(order.length, WIDTH, async (index) => {
    await registerAgain(order[index] ?? assert.fail(), answers);
    onRound?.(index + 1);
  });
  await Promise.all([
    again,
    sendToAll(
      network,
      users.toSorted(() => random.next() - 0.5),
    ),
  ]);
  await network.drain();

  await someAtOnce(count, WIDTH, (index) => assertFate(network, subjects[index]));
  assert.equal(answers.serverErrors, 0, JSON.stringify(answers.byCode));
  const registeredAgain = subjects.filter(({ fate }) => fate !== 'silent').length;
  const retired = count - registeredAgain;
  return { declaredDead: count, registeredAgain, retired, answers: answers.byCode };
}

async function enrol(network: Network, index: number): Promise<Subject> {
  const phone = network.device(`10.7.${index >> 8}.${index & 255}`);
  const [token, userId] = [apnsToken(), `user-${index}`];
  assertAnswered(await phone.register(token, userId), 201);
  return { phone, userId, token, fate: FATES[index % FATES.length] ?? 'silent' };
}

/** After the phones have registered, and before they do so again. */
async function declareDead(network: Network, subjects: readonly Subject[]): Promise<void> {
  await network.clock.advance(SEVEN_HOURS_MS);
  const atMs = network.clock.now().getTime();
  for (const { token } of subjects) {
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  }
  await network.clock.advance(MINUTE_MS);
}

async function registerAgain(subject: Subject, answers: AnswerTally): Promise<void> {
  if (subject.fate === 'silent') return;
  if (subject.fate === 'fresh_token') subject.token = apnsToken();
  const answer = answers.add(await subject.phone.sync({ token: subject.token }));
  assertAnswered(answer, 200);
}

async function sendToAll(network: Network, users: readonly string[]): Promise<void> {
  for (let from = 0; from < users.length; from += USERS_PER_MESSAGE) {
    await network.backEnd.sendToUsers(users.slice(from, from + USERS_PER_MESSAGE));
  }
}

async function assertFate(network: Network, subject: Subject | undefined): Promise<void> {
  assert(subject !== undefined);
  const { phone, token, fate } = subject;
  const seen = await network.backEnd.installation(phone.id);
  assert.equal(seen['token']?.['masked'], fingerprint(token));
  assert.equal(seen['token']?.['status'], fate === 'silent' ? 'retired' : 'live', fate);
}
