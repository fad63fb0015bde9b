import type { Round } from './round.ts';

/** What came out of the rounds of one contestant. */
export interface Figure {
  readonly name: string;
  readonly unit: '/s' | 's' | 'ms';
  readonly spread: Spread;
  /** Median processor time per operation in microseconds, by party. */
  readonly cpuMicroseconds: Readonly<Record<string, number>>;
  /** The most memory that our process held; null when there was none. */
  readonly peakRssBytes: number | null;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The figure of rounds that do one operation after the other as fast as they can. */
export function rateFigure(name: string, rounds: readonly Round[]): Figure {
  return {
    name,
    unit: '/s',
    spread: spreadOf(rounds.map(({ operations, seconds }) => operations / seconds)),
    ...costsOf(rounds),
  };
}

/** The figure of rounds that do one thing, where the time until it is done counts. */
export function durationFigure(name: string, rounds: readonly Round[]): Figure {
  const spread = spreadOf(rounds.map(({ operations, seconds }) => seconds / operations));
  return { name, unit: 's', spread, ...costsOf(rounds) };
}

/** What the rounds of one contestant cost. */
export function costsOf(
  rounds: readonly Round[],
): Pick<Figure, 'cpuMicroseconds' | 'peakRssBytes'> {
  const parties = new Set(rounds.flatMap(({ cpuSeconds }) => Object.keys(cpuSeconds)));
  const entries = [...parties].map((party) => {
    const perOperation = rounds.map(
      ({ cpuSeconds, operations }) => ((cpuSeconds[party] ?? 0) * 1e6) / operations,
    );
    return [party, medianOf(perOperation)] as const;
  });
  const peaks = rounds.flatMap(({ peakRssBytes }) => peakRssBytes ?? []);
  return {
    cpuMicroseconds: Object.fromEntries(entries),
    peakRssBytes: peaks.length === 0 ? null : Math.max(...peaks),
  };
}

/** Of an even number of values, what lies between the two in the middle. */
export function medianOf(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** The middle and the ends of some values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}
