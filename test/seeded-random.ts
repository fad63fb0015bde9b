import { randomInt } from 'node:crypto';

/** A sequence of numbers from 0 up to 1 that its seed decides, for runs that can be repeated. */
export interface SeededRandom {
  readonly seed: number;
  readonly next: () => number;
  /** A whole number from 0 up to, and not including, the bound. */
  below(bound: number): number;
  chance(probability: number): boolean;
  /** Throws when there is nothing to choose from. */
  pick<T>(choices: readonly T[]): T;
}

const MODULUS = 2 ** 32;

export function freshSeed(): number {
  return randomInt(MODULUS);
}

/** The generator "mulberry32": 32 bits of state, and good enough to choose what a test does. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / MODULUS;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    seed,
    next,
    below,
    chance: (probability) => next() < probability,
    pick(choices) {
      if (choices.length === 0) throw new Error('There is nothing to choose from.');
      return choices[below(choices.length)] as (typeof choices)[number];
    },
  };
}
