import type { Figure } from '../figure.ts';
import { costsOf, spreadOf } from '../figure.ts';
import type { Round } from '../round.ts';

/** A round of operations that begin at a fixed rate, where the time that each takes counts. */
export interface LatencyRound extends Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What so many times come to. */
export function latenciesOf(
  timesMs: readonly number[],
): Pick<LatencyRound, 'p50Ms' | 'p99Ms' | 'maxMs'> {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** Two figures: the middle of each round, and what one in a hundred exceeds. */
export function latencyFigures(name: string, rounds: readonly LatencyRound[]): readonly Figure[] {
  const of = (what: string, value: (round: LatencyRound) => number): Figure => ({
    name: `${name}, ${what}`,
    unit: 'ms',
    spread: spreadOf(rounds.map(value)),
    ...costsOf(rounds),
  });
  return [of('p50', (round) => round.p50Ms), of('p99', (round) => round.p99Ms)];
}
