import type { Fragment } from './sql.ts';

/** Whom of an audience to look at. */
export type WalkRange =
  /** The next so many by key, after those that an earlier step has looked at. */
  | { readonly kind: 'after'; readonly cursor: string; readonly limit: number }
  /** Those of some installations only. */
  | { readonly kind: 'among'; readonly installationRefs: readonly number[] };

/**
 * Two queries: who is looked at, each with a `place` by which they are in order, and who of those
 * belongs to the audience, for which user.
 */
export interface WalkSource {
  readonly looked: Fragment;
  readonly members: Fragment;
  /** Which of the places in `looked` is the last one of the step. */
  readonly last: Fragment;
}
