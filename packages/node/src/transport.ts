import { setTimeout as pause } from 'node:timers/promises';
import { attemptCall, callError, type Failure } from './attempt.ts';
import { toCall, type Call, type CallParts, type Method, type Path } from './call.ts';
import { readLines } from './lines.ts';
import { pauseBefore } from './retry-policy.ts';
import type { Settings } from './settings.ts';

/** What resources do with the API; each call is repeated as long as that is safe and of use. */
export interface Transport {
  /** The JSON of the answer, which the contract says is a `T`. */
  json<T>(method: Method, path: Path, parts?: CallParts): Promise<T>;
  /** For answers without content. What an attempt in doubt has removed counts as removed. */
  nothing(method: Method, path: Path, parts?: CallParts): Promise<void>;
  /** The bytes of the answer as they come; once they do, nothing is repeated. */
  stream(method: Method, path: Path, parts?: CallParts): Promise<AsyncIterable<Uint8Array>>;
  /** The same of an answer in lines of JSON, each of which the contract says is a `T`. */
  lines<T>(method: Method, path: Path, parts?: CallParts): AsyncGenerator<T>;
}

type Read<T> = (response: Response, call: Call) => Promise<T>;

/** How a failure that will not be repeated may be an answer after all; null when it is none. */
type Excuse<T> = (failure: Failure, earlier: readonly Failure[]) => { readonly value: T } | null;

export function createTransport(settings: Settings): Transport {
  return {
    json: async <T>(method: Method, path: Path, parts: CallParts = {}) =>
      perform<T>(settings, toCall(settings, method, path, parts), readJson, noExcuse),
    nothing: async (method, path, parts = {}) =>
      perform(settings, toCall(settings, method, path, parts), readNothing, goneBefore),
    stream: async (method, path, parts = {}) =>
      perform(settings, toCall(settings, method, path, parts), readStream, noExcuse),
    async *lines<T>(method: Method, path: Path, parts: CallParts = {}) {
      const call = toCall(settings, method, path, parts);
      yield* await perform(settings, call, readValues<T>, noExcuse);
    },
  };
}

/**
 * Attempts, until one is answered, the failure is no matter of time, the repetitions are used up,
 * or the time would be over before the next: then the last failure is thrown.
 */
async function perform<T>(
  settings: Settings,
  call: Call,
  read: Read<T>,
  excuse: Excuse<T>,
): Promise<T> {
  const deadlineMs = performance.now() + call.timeoutMs;
  const failures: Failure[] = [];
  for (;;) {
    call.signal?.throwIfAborted();
    // A pause may have taken longer than it should.
    const leftMs = Math.max(1, deadlineMs - performance.now());
    const timeoutMs = Math.min(call.attemptTimeoutMs, leftMs);
    const result = await attemptCall(settings, call, timeoutMs, read);
    if (result.kind === 'answer') return result.value;
    const excused = excuse(result, failures);
    if (excused !== null) return excused.value;
    failures.push(result);
    const pauseMs = pauseBefore(failures.length, call, result, Math.random);
    if (pauseMs === null || failures.length > settings.retries) throw result.error;
    if (performance.now() + pauseMs >= deadlineMs) throw result.error;
    await pauseFor(pauseMs, call.signal);
  }
}

async function pauseFor(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(pauseMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // Its own error would hide the caller's reason.
    signal?.throwIfAborted();
    throw error;
  }
}

async function readJson<T>(response: Response, call: Call): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw notHoming(response, call, 'not JSON');
  }
}

async function readNothing(response: Response): Promise<void> {
  await response.arrayBuffer();
}

async function readStream(response: Response, call: Call): Promise<AsyncIterable<Uint8Array>> {
  if (response.body === null) throw notHoming(response, call, 'without a body');
  return wholeBody(response.body, call);
}

/** Breaking off is told from the end, and from the caller's own signal. */
async function* wholeBody(body: ReadableStream, call: Call): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) yield piece as Uint8Array;
  } catch {
    call.signal?.throwIfAborted();
    throw callError(call, { code: 'no_answer', detail: 'the answer broke off on its way' });
  }
}

async function readValues<T>(response: Response, call: Call): Promise<AsyncGenerator<T>> {
  return valuesOf<T>(await readStream(response, call), response, call);
}

async function* valuesOf<T>(
  pieces: AsyncIterable<Uint8Array>,
  response: Response,
  call: Call,
): AsyncGenerator<T> {
  try {
    yield* readLines<T>(pieces);
  } catch (error) {
    throw error instanceof SyntaxError ? notHoming(response, call, 'not lines of JSON') : error;
  }
}

function notHoming({ status }: Response, call: Call, what: string) {
  const detail = `HTTP ${status}, ${what}, and so not from Homing: does baseUrl lead to its API?`;
  return callError(call, { code: 'unexpected_answer', status, detail });
}

const noExcuse = (): null => null;

/**
 * Where nobody knows what became of an attempt and the next finds nothing to remove, the first one
 * did it, or it was gone before: either way it is gone.
 */
function goneBefore({ error }: Failure, earlier: readonly Failure[]): { value: undefined } | null {
  const isInDoubt = earlier.some(({ error: { status } }) => status === null || status >= 500);
  return isInDoubt && error.code === 'not_found' ? { value: undefined } : null;
}
