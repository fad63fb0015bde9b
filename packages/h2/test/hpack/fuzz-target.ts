import type { SeededRandom } from '../../../../test/seeded-random.ts';

/** Something that reads what a peer sends, and that must stand whatever that is. */
export interface FuzzTarget {
  readonly name: string;
  /** An input that a good peer could send, for mutations to start from. */
  createValid(random: SeededRandom): Buffer;
  /**
   * Whether the input was accepted or refused in the way that is foreseen. Throws when anything
   * else comes of it.
   */
  feed(input: Buffer, random: SeededRandom): 'accepted' | 'refused';
}
