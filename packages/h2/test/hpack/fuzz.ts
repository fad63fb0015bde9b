import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SeededRandom } from '../../../../test/seeded-random.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutate, randomBytes } from './mutation.ts';

/** No input is long, so that one which takes as much as this is as good as a hang. */
const MAX_INPUT_MS = 2000;
/** What Node keeps for timers that are no more, it forgets between turns of its event loop. */
const INPUTS_PER_TURN = 500;
/** What may have come to stay since a tenth of the inputs. */
const MAX_HEAP_GROWTH_BYTES = 4 * 2 ** 20;
const MAX_RANDOM_BYTES = 300;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export interface FuzzReport {
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly random: SeededRandom;
  readonly onInput?: (done: number) => void;
}

/**
 * Feeds so many inputs, most of them mutated from valid ones, the others random. Fails with the
 * input that the target did not stand, with one that took too long, and when memory grows.
 */
export async function fuzz(
  target: FuzzTarget,
  { inputs, random, onInput }: FuzzOptions,
): Promise<FuzzReport> {
  const counts = { accepted: 0, refused: 0 };
  let slowestMs = 0;
  let heapBytes = 0;
  for (let done = 0; done < inputs; done += 1) {
    if (done === Math.floor(inputs / 10)) heapBytes = liveHeapBytes();
    if (done % INPUTS_PER_TURN === 0) await setImmediate();
    const input = createInput(target, random);
    const startedAtMs = performance.now();
    counts[feed(target, input, random)] += 1;
    slowestMs = Math.max(slowestMs, performance.now() - startedAtMs);
    if (slowestMs > MAX_INPUT_MS) assert.fail(`${slowestMs} ms for ${input.toString('hex')}`);
    onInput?.(done + 1);
  }
  await setImmediate();
  const heapGrowthBytes = liveHeapBytes() - heapBytes;
  assert(heapGrowthBytes < MAX_HEAP_GROWTH_BYTES, `the heap grew by ${heapGrowthBytes} bytes`);
  return { ...counts, slowestMs, heapGrowthBytes };
}

function createInput(target: FuzzTarget, random: SeededRandom): Buffer {
  if (random.chance(0.2)) return randomBytes(random, MAX_RANDOM_BYTES);
  const first = target.createValid(random);
  const valid = random.chance(0.1) ? Buffer.concat([first, target.createValid(random)]) : first;
  return mutate(random, valid);
}

function feed(target: FuzzTarget, input: Buffer, random: SeededRandom): 'accepted' | 'refused' {
  try {
    return target.feed(input, random);
  } catch (cause) {
    throw new Error(`${target.name} does not stand ${input.toString('hex')}`, { cause });
  }
}

function liveHeapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
