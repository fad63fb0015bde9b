/**
 * The parts of an installation that are ordered independently of each other. Topics and purpose
 * tokens are ordered one by one and keep their marks beside the installation.
 */
export const FIELD_GROUPS = ['token', 'user', 'device', 'preferences'] as const;
export type FieldGroup = (typeof FIELD_GROUPS)[number];

/** The last sequence applied to a field group, and a digest of the content it came with. */
export interface GroupMark {
  readonly seq: number | null;
  readonly hash: Buffer | null;
}

/**
 * How a packet relates to what a group already holds.
 *
 * - `newer`: it acts.
 * - `replay`: the same packet again; same answer, no effect.
 * - `superseded`: older than what is held; changes nothing, whatever it proves.
 * - `forked`: the same sequence with another content, so two copies of one installation are alive.
 */
export type Order = 'newer' | 'replay' | 'superseded' | 'forked';

/**
 * Compares a packet with a group's mark (rule R2: program order, not arrival order). A packet
 * without a sequence comes from a back end, for which arrival order counts.
 */
export function orderOf(mark: GroupMark, seq: number | null, hash: Buffer): Order {
  if (seq === null || mark.seq === null || seq > mark.seq) return 'newer';
  if (seq < mark.seq) return 'superseded';
  return mark.hash !== null && mark.hash.equals(hash) ? 'replay' : 'forked';
}
