import type { BenchmarkResult } from './benchmark.ts';
import type { Figure } from './figure.ts';
import { machineLines, type Machine } from './machine.ts';
import { reachLine, reachObject } from './reach.ts';

/** For a person: machine, a table of figures, notes, a line per reach. */
export function textReport(machine: Machine, { figures, notes, reaches }: BenchmarkResult): string {
  const sections = [machineLines(machine), table(figures), notes, reaches.map(reachLine)];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** For a program: the object of `--json`. */
export function jsonReport(name: string, machine: Machine, result: BenchmarkResult): string {
  const { figures, notes, reaches } = result;
  return JSON.stringify({ name, machine, figures, notes, reach: reaches.map(reachObject) });
}

function table(figures: readonly Figure[]): readonly string[] {
  const parties = [...new Set(figures.flatMap((figure) => Object.keys(figure.cpuMicroseconds)))];
  const heading = ['', 'median', 'min', 'max', ...parties.map((party) => `µs ${party}`), 'peak'];
  const rows = figures.map((figure) => [
    figure.name,
    ...[figure.spread.median, figure.spread.min, figure.spread.max].map((value) =>
      quantity(value, figure.unit),
    ),
    ...parties.map((party) => figure.cpuMicroseconds[party]?.toFixed(0) ?? ''),
    figure.peakRssBytes === null ? '' : `${(figure.peakRssBytes / 1024 ** 2).toFixed(0)} MiB`,
  ]);
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  return [heading, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
}

function quantity(value: number, unit: Figure['unit']): string {
  return unit === '/s' ? `${value.toFixed(0)}/s` : `${value.toFixed(2)} ${unit}`;
}
