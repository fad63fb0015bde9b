/** Wall-clock time that a test can move; it runs on between the moves. */
export interface TestClock {
  readonly now: () => Date;
  /** How far it is ahead of the machine's clock. */
  readonly offsetMs: number;
  /** Moves this process at once, and resolves when all followers have moved as well. */
  advance(ms: number): Promise<void>;
  /** Tells another process of every move until it is disposed. */
  follow(follower: ClockFollower): Disposable;
}

/** Sets the clock of another process; resolves when that process goes by it. */
export type ClockFollower = (offsetMs: number) => Promise<void>;

export function createTestClock(machineMs: () => number = Date.now): TestClock {
  const followers = new Set<ClockFollower>();
  let offsetMs = 0;
  return {
    now: () => new Date(machineMs() + offsetMs),
    get offsetMs() {
      return offsetMs;
    },
    async advance(ms) {
      offsetMs += ms;
      await Promise.all([...followers].map((follower) => follower(offsetMs)));
    },
    follow(follower) {
      followers.add(follower);
      return { [Symbol.dispose]: () => followers.delete(follower) };
    },
  };
}

/** Time that stands at the beginning of a second and moves only when it is told to. */
export function createFrozenClock(): TestClock {
  const standsAtMs = Math.floor(Date.now() / 1000) * 1000;
  return createTestClock(() => standsAtMs);
}
