import { NO_CHANGES, type ChangeSet } from '../domain/change-set.ts';
import type { Challenge } from '../domain/challenge.ts';
import type { EventDraft } from '../domain/event.ts';
import type { OpenLink } from '../domain/installation.ts';
import { registrationChanges, taggedLinks } from '../domain/registration-changes.ts';
import { supersededEvent } from '../domain/registration-events.ts';
import type { AuditRecord } from '../store/audit.ts';
import type { RegistryWrite } from '../store/change-set.ts';
import { auditRecord } from './audit-write.ts';
import { sourceOf, stampOf, type RegistryContext } from './caller.ts';
import { askForEcho } from './challenge.ts';
import type { SyncTarget, SyncVerdict } from './judge-sync.ts';
import type { SyncRequest } from './sync-request.ts';

/** What a write is made with. */
export interface WriteMeans {
  /** The references of the users who are attached, by the customer's ids. */
  readonly userRefs: ReadonlyMap<string, number>;
  /** Signs the nonces of challenges. */
  readonly nonceKey: Buffer;
}

/** What a judged packet writes; null when it is nothing. */
export function syncWrite(
  { context, input }: SyncRequest,
  verdict: SyncVerdict,
  means: WriteMeans,
): RegistryWrite | null {
  const stamp = stampOf(context);
  switch (verdict.kind) {
    case 'refused':
      return null;
    case 'token_held':
      return verdict.isTouched ? { changes: touch(verdict), stamp, ...WHOLE } : null;
    case 'token_challenged': {
      const challenge = verdict.asked?.challenge ?? null;
      if (challenge === null && !verdict.isTouched) return null;
      const challenges = challenge === null ? [] : [challenge];
      return { changes: { ...touch(verdict), challenges }, stamp, ...WHOLE };
    }
    case 'forked': {
      const fork = { kind: 'installation.forked', seq: input.seq, once: true } as const;
      const events = [{ installationRef: verdict.installation.ref, ...fork }];
      return { changes: { ...touch(verdict), events }, stamp, ...WHOLE };
    }
    case 'decided':
      return writesNothing(verdict) ? null : decidedWrite(context, verdict, means);
  }
}

/** A rare write: it may take the longer way, and no back end asked for it. */
const WHOLE = { audit: null, held: null } as const;

/** Whether a packet can be answered without a write, as most check-ins can. */
export function writesNothing(verdict: SyncVerdict): boolean {
  if (verdict.kind === 'refused') return true;
  if (verdict.kind === 'forked' || verdict.isTouched) return false;
  if (verdict.kind === 'token_held') return true;
  if (verdict.kind === 'token_challenged') return (verdict.asked?.challenge ?? null) === null;
  return !verdict.isWritten && !verdict.created && late(verdict).length === 0;
}

type Decided = Extract<SyncVerdict, { readonly kind: 'decided' }>;

function decidedWrite(
  context: RegistryContext,
  verdict: Decided,
  { userRefs, nonceKey }: WriteMeans,
): RegistryWrite {
  const { packet, isWritten } = verdict;
  const changes = isWritten ? registrationChanges(packet, userRefs) : touch(verdict);
  return {
    changes: {
      ...changes,
      challenges: disputeChallenges(verdict, changes, nonceKey),
      taggedLinks: touch(verdict).taggedLinks,
      events: [...enrolment(verdict), ...changes.events, ...late(verdict)],
    },
    stamp: stampOf(context),
    audit: isWritten ? audit(context, verdict, changes) : null,
    held: verdict.isTouched ? null : verdict.installation,
  };
}

/** Whoever has a disputed token is asked to show that pushes to it arrive. */
function disputeChallenges(
  { packet, openChallenges }: Decided,
  { saved }: ChangeSet,
  nonceKey: Buffer,
): readonly Challenge[] {
  const [holder] = saved;
  const token = holder?.token ?? null;
  if (holder === undefined || token?.status !== 'contested') return [];
  if (packet.decided.token === null) return [];
  const claim = { claimantId: holder.id, token, holder };
  const { challenge } = askForEcho(nonceKey, claim, openChallenges, packet.at);
  return challenge === null ? [] : [challenge];
}

/** The target itself, where it differs from its row. */
function touch({ installation, isTouched }: SyncTarget): ChangeSet {
  if (!isTouched) return NO_CHANGES;
  return { ...NO_CHANGES, saved: [installation], taggedLinks: taggedLinks(installation) };
}

function enrolment({ installation, created, packet }: Decided): readonly EventDraft[] {
  const { seq } = packet.packet;
  return created ? [{ installationRef: installation.ref, kind: 'installation.created', seq }] : [];
}

function late({ installation, packet }: Decided): readonly EventDraft[] {
  const event = supersededEvent(installation, packet.decided, packet.packet.seq);
  return event === null ? [] : [event];
}

function audit(
  context: RegistryContext,
  { installation, packet }: Decided,
  changes: ChangeSet,
): AuditRecord | null {
  const { token } = packet.decided;
  const displaced = token?.kind === 'hold' ? token.displaced : null;
  // A token that changes hands is on record also where devices did it among themselves.
  const actor = displaced === null ? null : sourceOf(context.caller);
  const write = {
    action: 'installation.sync',
    subject: `installation/${installation.ref}`,
    before: { users: refsOf(installation.links), version: installation.holderVersion },
    after: {
      groups: Object.keys(packet.decided.orders),
      token: token?.kind ?? null,
      ...(displaced !== null && { taken_from: `installation/${displaced.ref}` }),
      ...(token?.kind === 'hold' && token.isContested && { contested: true }),
      users: refsOf(changes.saved[0]?.links),
      fields: Object.keys(packet.packet.device?.patch.facts ?? {}),
    },
  };
  return auditRecord(context, write, actor);
}

function refsOf(links: readonly OpenLink[] = []): readonly number[] {
  return links.map(({ userRef }) => userRef);
}
