/** What one contestant did in one round, and what that cost. */
export interface Round {
  readonly operations: number;
  readonly seconds: number;
  /** Processor time, user and system, of each party: ours, the database, the load. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** The most memory that our process held so far; null when there is none. */
  readonly peakRssBytes: number | null;
}

export interface Contestant<Kind extends Round = Round> {
  readonly name: string;
  round(): Promise<Kind>;
}

/** A reference is only worth something under the same conditions, so rounds take turns. */
export interface Alternation {
  /** How often each contestant runs. */
  readonly rounds: number;
  readonly say: (line: string) => void;
  /** Runs before each round, so that none pays for what the one before left behind. */
  readonly settle: (() => Promise<void>) | null;
  readonly interruption: AbortSignal;
}

/**
 * Runs the contestants in turn (A B A B …), after a round of each that does not count: it fills
 * caches and lets the compilers warm up. Returns the rounds of each by name.
 */
export async function alternate<Kind extends Round>(
  contestants: readonly Contestant<Kind>[],
  { rounds, say, settle, interruption }: Alternation,
): Promise<ReadonlyMap<string, readonly Kind[]>> {
  const results = new Map(contestants.map(({ name }) => [name, [] as Kind[]]));
  for (let number = 0; number <= rounds; number += 1) {
    for (const contestant of contestants) {
      interruption.throwIfAborted();
      await settle?.();
      const round = await contestant.round();
      const title = number === 0 ? 'warm-up' : `round ${number} of ${rounds}`;
      say(`${title}, ${contestant.name}: ${round.operations} in ${round.seconds.toFixed(2)} s`);
      if (number > 0) results.get(contestant.name)?.push(round);
    }
  }
  return results;
}
