/** How far apart neighbours in time are: the golden ratio spreads any number of steps evenly. */
const GOLDEN_RATIO = 0.618_033_988_75;

/**
 * Visits the numbers below a bound over and over, in an order without neighbours. No number comes
 * again before all others came, so that requests about one installation never overlap.
 */
export class Walk {
  readonly #bound: number;
  readonly #stride: number;
  #position = 0;

  constructor(bound: number) {
    this.#bound = bound;
    let stride = Math.max(1, Math.round(bound * GOLDEN_RATIO));
    while (greatestDivisor(bound, stride) > 1) stride += 1;
    this.#stride = stride;
  }

  next(): number {
    this.#position = (this.#position + this.#stride) % this.#bound;
    return this.#position;
  }
}

/** A stride that shares no divisor with the bound passes through every number. */
function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
