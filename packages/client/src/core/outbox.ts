import { isGone, readAnswer } from './answer.ts';
import { base64url } from './base64url.ts';
import { emit, failed, later, learn, report, track, update, type Engine } from './engine.ts';
import { enrolAnew } from './enrol-anew.ts';
import { freshIdentity } from './identity.ts';
import type { Sending, Settled, Step } from './lane.ts';
import { leavers, type Memory, type ProofMembers, type WantedUser } from './memory.ts';
import { dueAt } from './pace.ts';
import type { UserProof } from './push-client-options.ts';
import { toRequest } from './request.ts';
import { registeredState } from './state-lane.ts';

/** After so long there is no answer, of the server or of whoever vouches. */
const PATIENCE_MS = 30_000;
/** So often in a row the same thing may be told differently at once. */
const REPEATS_AT_ONCE = 2;

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
  if (atOnce) learn(engine, { sendAt: 0, proveAt: 0 });
  engine.isAsked = true;
  if (engine.outbox !== null) return;
  engine.outbox = run(engine);
  track(engine, engine.outbox);
}

/** Gives up what is waited for or about to begin: something else has to go out first. */
export function interrupt(engine: Engine): void {
  engine.epoch += 1;
  engine.abort();
}

async function run(engine: Engine): Promise<void> {
  while (engine.isAsked && !engine.isEnded) {
    engine.isAsked = false;
    if (await tryStep(engine)) engine.isAsked = true;
  }
  engine.outbox = null;
}

async function tryStep(engine: Engine): Promise<boolean> {
  try {
    return await engine.ports.exclusive(() => step(engine));
  } catch (error) {
    fail(engine, { code: 'storage', detail: String(error) }, 0);
    sleep(engine);
    return false;
  }
}

/** Whether there may be another one. */
async function step(engine: Engine): Promise<boolean> {
  if (engine.isEnded) return false;
  const { epoch } = engine;
  const [memory, step] = await update(engine, (held) => {
    const step = plan(engine, held);
    const memory = step?.kind === 'send' ? step.memory : held;
    return [memory, [memory, step] as const];
  });
  if (epoch !== engine.epoch) return true;
  if (step === null) rest(engine, memory);
  else await take(engine, memory, step);
  return step !== null;
}

function plan({ lanes, live, ports }: Engine, memory: Memory): Step | null {
  const now = ports.time.now();
  if (now < live.sendAt) return null;
  for (const lane of lanes) {
    const step = lane(memory, live, now);
    if (step !== null) return step;
  }
  return null;
}

async function take(engine: Engine, memory: Memory, step: Step): Promise<void> {
  switch (step.kind) {
    case 'digest': {
      const { text } = step;
      const bytes = await engine.ports.cryptography.sha256(new TextEncoder().encode(text));
      return learn(engine, { digest: { text, sha256: base64url(bytes) } });
    }
    case 'prove':
      return prove(engine, memory, step.userId);
    case 'send':
      return send(engine, memory, step);
  }
}

async function prove(engine: Engine, { id }: Memory, userId: string): Promise<void> {
  const { epoch, live, ports } = engine;
  let why = 'timeout';
  const proof = await patiently(engine, () =>
    membersOf(live.proofs.get(userId), id).catch((error: unknown) => {
      why = String(error);
      return null;
    }),
  );
  if (epoch !== engine.epoch) return;
  if (proof === null) {
    report(engine, 'proof_failed', why);
    return learn(engine, { proveAt: ports.time.now() + failed(engine, 'prove') });
  }
  engine.failures.prove = 0;
  const proven = (user: WantedUser): WantedUser =>
    user.id === userId && !user.isLinked ? { ...user, proof, isWorn: false } : user;
  // Unless somebody else is wanted meanwhile, or another installation.
  await update(engine, (held) => [
    held.id === id ? { ...held, users: held.users.map(proven) } : held,
    null,
  ]);
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
  const { epoch, ports } = engine;
  const { time, transport, cryptography } = ports;
  const due = dueAt(engine.lastDueAt, time.now());
  if (due > time.now()) return learn(engine, { sendAt: due });
  engine.lastDueAt = due;
  const request = toRequest(engine, memory, step);
  const answer = readAnswer(
    await patiently(engine, (signal) => transport(request, signal).catch(() => null)),
  );
  if (epoch !== engine.epoch) return;
  const around = { live: engine.live, spare: freshIdentity(cryptography), now: time.now() };
  const settle = isGone(answer) ? enrolAnew : step.settle;
  const result = await update(engine, (held) => {
    if (held.id !== memory.id) return [held, null];
    const settled = settle(held, answer, around);
    const lost = settled === null ? [] : leavers(held, settled.memory);
    return [settled?.memory ?? held, { settled, lost }];
  });
  if (result === null) return;
  const { settled, lost } = result;
  if (settled === null) return fail(engine, answer, answer.patienceMs);
  if (lost.length > 0) void ports.platform.clearShown();
  for (const { id, isLinked } of lost) {
    const why = isLinked || answer.status < 300 ? 'revoked' : answer.code;
    emit(engine, 'signed_out', { userId: id, why });
  }
  conclude(engine, settled);
}

function conclude(engine: Engine, { live, isRepeat = false, error }: Settled): void {
  const { failures, ports } = engine;
  failures.send = 0;
  if (!isRepeat) failures.repeat = 0;
  const waitMs = isRepeat ? failed(engine, 'repeat') : 0;
  const isLater = failures.repeat > REPEATS_AT_ONCE;
  learn(engine, { takeover: null, sendAt: isLater ? ports.time.now() + waitMs : 0, ...live });
  if (error !== undefined) report(engine, error.code, error.detail);
}

function fail(
  engine: Engine,
  { code, detail }: NonNullable<Settled['error']>,
  atLeastMs: number,
): void {
  const waitMs = Math.max(atLeastMs, failed(engine, 'send'));
  learn(engine, { sendAt: engine.ports.time.now() + waitMs });
  report(engine, code, detail);
}

/** There is nothing to do, for now. */
function rest(engine: Engine, memory: Memory): void {
  sleep(engine);
  const { live } = engine;
  const registered = registeredState(memory, live);
  learn(engine, { registered, acknowledged: registered ?? live.acknowledged });
  if (registered !== null && registered !== live.registered) {
    emit(engine, 'registered', { users: memory.users.map(({ id }) => id) });
  }
}

function sleep(engine: Engine): void {
  const { sendAt, proveAt } = engine.live;
  const now = engine.ports.time.now();
  const waitsMs = [sendAt - now, proveAt - now].filter((ms) => ms > 0);
  if (waitsMs.length === 0) return;
  later(engine, 'sleep', Math.min(...waitsMs), () => poke(engine, false));
}

/** What a task comes to; null when it takes too long, or something else has to go out first. */
async function patiently<T>(
  engine: Engine,
  task: (signal: AbortSignal) => Promise<T | null>,
): Promise<T | null> {
  const controller = new AbortController();
  engine.abort = () => controller.abort();
  const cancel = engine.ports.time.after(PATIENCE_MS, engine.abort);
  const givenUp = new Promise<null>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(null));
  });
  try {
    return await Promise.race([task(controller.signal), givenUp]);
  } finally {
    cancel();
  }
}
