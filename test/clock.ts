/** Wall-clock time that a test can move; it runs on between the moves. */
export interface TestClock {
  readonly now: () => Date;
  advance(ms: number): void;
}

export function createTestClock(): TestClock {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance(ms) {
      offsetMs += ms;
    },
  };
}
