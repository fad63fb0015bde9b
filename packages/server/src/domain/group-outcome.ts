import type { FieldGroup } from './ordering.ts';
import type { DecidedPacket } from './registration-changes.ts';

/**
 * What a field group of a packet came to, as its sender is told.
 *
 * - `applied`: it stands, by this packet or since an earlier arrival of it.
 * - `superseded`: it came too late.
 * - `moved`: it did stand, but the installation has lost the token since. A repetition does not
 *   bring it back, because nobody can tell whether it is the device's last word; a higher sequence
 *   claims it.
 */
export type GroupOutcome = 'applied' | 'superseded' | 'moved';
export type GroupOutcomes = Readonly<Partial<Record<FieldGroup, GroupOutcome>>>;

/** The outcome of each group that a decided packet names. */
export function groupOutcomes({
  packet,
  decided: { orders, token },
}: Pick<DecidedPacket, 'packet' | 'decided'>): GroupOutcomes {
  const isLost = orders.token === 'replay' && token === null && Boolean(packet.token?.claim);
  return Object.fromEntries(
    Object.entries(orders).map(([group, order]): readonly [string, GroupOutcome] => {
      if (order === 'superseded') return [group, 'superseded'];
      return [group, group === 'token' && isLost ? 'moved' : 'applied'];
    }),
  );
}
