import { isGone, readAnswer } from './answer.ts';
import { base64url } from './base64url.ts';
import {
  change,
  emit,
  end,
  failed,
  later,
  learn,
  replace,
  report,
  succeeded,
  track,
  update,
  type Engine,
} from './engine.ts';
import { enrolAnew } from './enrol-anew.ts';
import { freshIdentity } from './identity.ts';
import type { Sending, Settled, Step } from './lane.ts';
import type { Memory, ProofMembers, WantedUser } from './memory.ts';
import { dueAt } from './pace.ts';
import type { UserProof } from './push-client-options.ts';
import { toRequest } from './request.ts';
import { clearScreen } from './screen.ts';
import { registeredState } from './state-lane.ts';

/** After so long there is no answer, of the server or of whoever vouches. */
const PATIENCE_MS = 30_000;

/**
 * Brings the server to what the memory says. Of all contexts one at a time takes a step:
 *
 *   plan      the first lane that has something to do says what; what it takes is durable then
 *   take      one request; or a question for a proof, or for a digest
 *   settle    the memory after the answer; when the next step may be taken
 *
 * until there is nothing to do before a time or an event. `atOnce` ends the wait after failures.
 */
export function poke(engine: Engine, atOnce: boolean): void {
  if (atOnce) {
    engine.isUrgent = true;
    learn(engine, { sendAt: 0, proveAt: 0 });
  }
  engine.isAsked = true;
  if (engine.outbox !== null) return;
  engine.outbox = run(engine);
  track(engine, engine.outbox);
}

/** Gives up what is waited for or about to begin: something else has to go out first. */
export function interrupt(engine: Engine): void {
  engine.epoch += 1;
  end(engine, 'request');
}

async function run(engine: Engine): Promise<void> {
  do {
    engine.isAsked = false;
    engine.isUrgent = false;
    await engine
      .exclusive(() => step(engine))
      .catch((error: unknown) => {
        pause(engine, 'storage', String(error));
        sleep(engine);
      });
  } while (engine.isAsked && !engine.isEnded);
  engine.outbox = null;
}

/** Asks for another one, unless there was nothing to do. */
async function step(engine: Engine): Promise<void> {
  const { epoch } = engine;
  if (engine.isEnded) return;
  const [memory, step] = await update(engine, (held) => {
    const step = plan(engine, held);
    const memory = step?.kind === 'send' ? step.memory : held;
    return [memory, [memory, step] as const];
  });
  if (step === null) return rest(engine, memory);
  engine.isAsked = true;
  if (epoch === engine.epoch) await take(engine, memory, step);
}

function plan(engine: Engine, memory: Memory): Step | null {
  const now = engine.time.now();
  if (now < engine.sendAt) return null;
  for (const lane of engine.lanes) {
    const step = lane(memory, engine, now);
    if (step !== null) return step;
  }
  return null;
}

async function take(engine: Engine, memory: Memory, step: Step): Promise<void> {
  switch (step.kind) {
    case 'digest': {
      const { text } = step;
      const sha256 = base64url(await engine.cryptography.sha256(new TextEncoder().encode(text)));
      return learn(engine, { digest: { text, sha256 } });
    }
    case 'prove':
      return prove(engine, memory, step.userId);
    case 'send':
      return send(engine, memory, step);
  }
}

async function prove(engine: Engine, { id }: Memory, userId: string): Promise<void> {
  const { epoch, proofs, time } = engine;
  let why = 'timeout';
  const proof = await patiently(engine, () =>
    membersOf(proofs.get(userId), id).catch((error: unknown) => {
      why = String(error);
      return null;
    }),
  );
  if (epoch !== engine.epoch) return;
  if (proof === null) {
    report(engine, 'proof_failed', why);
    return learn(engine, { proveAt: time.now() + failed(engine, 'prove') });
  }
  succeeded(engine, 'prove');
  const proven = (user: WantedUser): WantedUser =>
    user.id === userId && !user.isLinked ? { ...user, proof, isWorn: false } : user;
  // Unless somebody else is wanted meanwhile, or another installation.
  await change(engine, (held) =>
    held.id === id ? { ...held, users: held.users.map(proven) } : held,
  );
}

/** What vouches for a user on an installation. */
async function membersOf(
  proof: UserProof | undefined,
  installationId: string,
): Promise<ProofMembers> {
  if (proof === undefined || !('assertion' in proof)) return proof ?? {};
  const assertion = await proof.assertion(installationId);
  if (typeof assertion !== 'string' || assertion === '') throw new TypeError('assertion');
  return { assertion };
}

async function send(engine: Engine, memory: Memory, step: Sending): Promise<void> {
  const { epoch, time, transport, cryptography } = engine;
  const due = dueAt(engine.lastDueAt, time.now());
  if (due > time.now()) return learn(engine, { sendAt: due });
  engine.lastDueAt = due;
  const request = toRequest(engine, memory, step);
  const answer = readAnswer(
    await patiently(engine, (signal) => transport(request, signal).catch(() => null)),
  );
  if (epoch !== engine.epoch) return;
  const around = { live: engine, spare: freshIdentity(cryptography), now: time.now() };
  // Where the lane itself makes nothing of the answer: a logout is over when its installation is.
  const otherwise = isGone(answer) ? enrolAnew : (): null => null;
  const [settled, before] = await update(engine, (held) => {
    const settled: Settled | null =
      held.id === memory.id
        ? (step.settle(held, answer, around) ?? otherwise(held, answer, around))
        : { memory: held };
    return [settled?.memory ?? held, [settled, held] as const];
  });
  if (settled === null) return pause(engine, answer.code, answer.detail, answer.patienceMs);
  const { memory: after, isRepeat = false, live, error } = settled;
  succeeded(engine, 'send');
  if (!isRepeat) succeeded(engine, 'repeat');
  const sendAt = isRepeat ? time.now() + failed(engine, 'repeat') : 0;
  learn(engine, { sendAt, ...live });
  if (after.isScreenStale) track(engine, clearScreen(engine));
  for (const { id, isLinked } of before.users) {
    if (after.users.some((user) => user.id === id)) continue;
    const why = isLinked || answer.status < 300 ? 'revoked' : answer.code;
    emit(engine, 'signed_out', { userId: id, why });
  }
  if (error !== undefined) report(engine, error.code, error.detail);
}

/** Nothing came of it: sends nothing for a while. */
function pause(engine: Engine, code: string, detail: string, atLeastMs = 0): void {
  const waitMs = Math.max(atLeastMs, failed(engine, 'send'));
  // What was under way when the network came back says nothing of it.
  if (!engine.isUrgent) learn(engine, { sendAt: engine.time.now() + waitMs });
  report(engine, code, detail);
}

/** There is nothing to do, for now. */
function rest(engine: Engine, memory: Memory): void {
  sleep(engine);
  const { registered: before, acknowledged } = engine;
  const registered = registeredState(memory, engine);
  learn(engine, { registered, acknowledged: registered ?? acknowledged });
  if (registered !== null && registered !== before) {
    emit(engine, 'registered', { users: memory.users.map(({ id }) => id) });
  }
}

function sleep(engine: Engine): void {
  const now = engine.time.now();
  const waitMs = Math.min(
    ...[engine.sendAt, engine.proveAt].map((at) => (at > now ? at - now : Infinity)),
  );
  if (waitMs < Infinity) later(engine, 'sleep', waitMs, () => poke(engine, false));
}

/** What a task comes to; null when it takes too long, or something else has to go out first. */
async function patiently<T>(
  engine: Engine,
  task: (signal: AbortSignal) => Promise<T | null>,
): Promise<T | null> {
  const controller = new AbortController();
  const givenUp = new Promise<null>((resolve) => {
    replace(engine, 'request', () => {
      controller.abort();
      resolve(null);
    });
  });
  later(engine, 'patience', PATIENCE_MS, () => end(engine, 'request'));
  const result = await Promise.race([task(controller.signal), givenUp]);
  end(engine, 'patience');
  return result;
}
