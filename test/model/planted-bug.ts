import type { Overrides } from '@homing/server';
import type { Installation } from '../../packages/server/src/domain/installation.ts';
import type { FieldGroup } from '../../packages/server/src/domain/ordering.ts';
import { decideSync, type SyncPacket } from '../../packages/server/src/domain/registration.ts';

type Decision = NonNullable<Overrides['decideSync']>;

/** A decision that is wrong in one respect, as a careless change would make it. */
export interface PlantedBug {
  readonly name: string;
  readonly decideSync: Decision;
}

const SECOND_MS = 1_000;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a late login is accepted',
    decideSync(installation, holder, packet) {
      const isLogin = packet.user !== undefined && packet.user.named.length > 0;
      const known = isLogin ? forgetful(installation, 'user', packet) : installation;
      return decideSync(known, holder, packet);
    },
  },
  {
    name: 'a superseded token is applied',
    decideSync(installation, holder, packet) {
      return decideSync(forgetful(installation, 'token', packet), holder, packet);
    },
  },
  {
    name: 'an assertion of the same second takes a token over',
    decideSync(installation, holder, packet) {
      const boundAt = holder === null ? null : new Date(holder.boundAt.getTime() - SECOND_MS);
      return decideSync(
        installation,
        holder === null || boundAt === null ? null : { ...holder, boundAt },
        packet,
      );
    },
  },
  {
    name: 'a logout by packet leaves the sequence where it was',
    decideSync(installation, holder, packet) {
      const decision = decideSync(installation, holder, packet);
      if (decision.kind !== 'decided' || packet.user?.named.length !== 0) return decision;
      return { ...decision, orders: { ...decision.orders, user: 'replay' } };
    },
  },
  {
    name: 'a login that is refused leaves the former user signed in',
    decideSync(installation, holder, packet) {
      const decision = decideSync(installation, holder, packet);
      if (decision.kind !== 'decided' || decision.links.refused.length === 0) return decision;
      return { ...decision, links: { ...decision.links, ended: [] } };
    },
  },
  {
    name: 'one of several users who leaves takes the others along',
    decideSync(installation, holder, packet) {
      const decision = decideSync(installation, holder, packet);
      if (decision.kind !== 'decided' || decision.links.ended.length === 0) return decision;
      return { ...decision, links: { ...decision.links, ended: installation.links } };
    },
  },
  {
    name: 'a bad proof keeps out everybody who comes with it',
    decideSync(installation, holder, packet) {
      const decision = decideSync(installation, holder, packet);
      if (decision.kind !== 'decided' || decision.links.refused.length === 0) return decision;
      return { ...decision, links: { ...decision.links, begun: [] } };
    },
  },
];

/** The installation as if nothing newer than the packet had been applied to a group. */
function forgetful(
  installation: Installation,
  group: FieldGroup,
  { seq }: SyncPacket,
): Installation {
  const mark = installation.marks[group];
  if (mark.seq === null || seq === null || seq >= mark.seq) return installation;
  return { ...installation, marks: { ...installation.marks, [group]: { seq: null, hash: null } } };
}
