/**
 * How many tests ended in which way. A test that holds others counts, a suite does not: only one
 * that is skipped counts as one skipped test, because nobody knows how many it holds.
 */
export interface TestTally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const EMPTY_TALLY: TestTally = { passed: 0, failed: 0, skipped: 0 };

/** Adds tallies up. */
export function sumTallies(tallies: readonly TestTally[]): TestTally {
  return tallies.reduce(
    (sum, tally) => ({
      passed: sum.passed + tally.passed,
      failed: sum.failed + tally.failed,
      skipped: sum.skipped + tally.skipped,
    }),
    EMPTY_TALLY,
  );
}

/**
 * The line that ends a report, for people and for the script that adds reports up:
 * `12 passed, 1 failed`, and `, 2 skipped` when there are any.
 */
export function tallyLine(tally: TestTally): string {
  const skipped = tally.skipped === 0 ? '' : `, ${tally.skipped} skipped`;
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

const SKIPPED_SUITE = /^ *ok \d+ - .* # SKIP.*\n *---\n *duration_ms: .*\n *type: 'suite'$/gm;

/**
 * Reads the counts that Node's TAP reporter writes at the end of a file. Null when they are
 * missing, which means that the process ended before its tests did, or that it had none.
 */
export function readTapTally(tap: string): TestTally | null {
  const count = (name: string): number | null => {
    // Only the report of the whole file is not indented; the last one is the count itself, since a
    // diagnostic message of a test could look the same.
    const lines = [...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))];
    const digits = lines.at(-1)?.[1];
    return digits === undefined ? null : Number(digits);
  };
  const [passed, failed, cancelled] = [count('pass'), count('fail'), count('cancelled')];
  const [skipped, todo] = [count('skipped'), count('todo')];
  if (passed === null || failed === null || cancelled === null) return null;
  // A cancelled test never reached its assertions. A `todo` is a test that may fail unseen.
  const skippedSuites = [...tap.matchAll(SKIPPED_SUITE)].length;
  return {
    passed,
    failed: failed + cancelled + (todo ?? 0),
    skipped: (skipped ?? 0) + skippedSuites,
  };
}
