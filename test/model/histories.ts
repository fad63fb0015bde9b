import { drawHistories } from './arrivals.ts';
import { runCase, type CaseReport } from './case-run.ts';
import type { HistoryCase } from './cases.ts';
import type { Ground } from './ground.ts';

/**
 * Runs a case over HTTP: all its longest histories, or so many drawn by a seed, and with them every
 * history that one of these begins with.
 */
export async function runHistories(
  ground: Ground,
  historyCase: HistoryCase,
  most: number,
  seed: number,
): Promise<CaseReport> {
  const orders = drawHistories(historyCase.operations.length, most, seed);
  return runCase(ground, historyCase, orders);
}

/** A line for people; the numbers are what was really run. */
export function caseLine(report: CaseReport): string {
  const { name, histories, withLast, requests, sends, settled, violations } = report;
  return (
    `${name}: ${histories} histories, the last operation arrives in ${withLast}; ` +
    `${requests} requests, ${sends} sends, the last operation accepted in ${settled} runs, ` +
    `${violations.length} violations`
  );
}
