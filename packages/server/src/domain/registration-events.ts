import { tokenFingerprint } from './address-key.ts';
import type { EventDraft } from './event.ts';
import type { HeldToken, Installation } from './installation.ts';
import type { DecidedSync, TokenClaim } from './registration.ts';

/**
 * What the timeline tells about a decision. The user who was attached is named apart, because an
 * unknown one is made known only with the link.
 */
export function registrationEvents(
  installation: Installation,
  decided: DecidedSync,
  seq: number | null,
  attachedRef: number | null,
): readonly EventDraft[] {
  return [
    ...tokenEvents(installation, decided, seq),
    ...linkEvents(installation, decided, seq, attachedRef),
    ...deviceEvents(installation, decided, seq),
  ];
}

/** The line about a packet of which some groups came too late; null when none did. */
export function supersededEvent(
  installation: Installation,
  { orders }: DecidedSync,
  seq: number | null,
): EventDraft | null {
  const groups = Object.entries(orders).filter(([, order]) => order === 'superseded');
  if (groups.length === 0) return null;
  const cause = groups.map(([group]) => group).join(', ');
  return { installationRef: installation.ref, kind: 'registration.superseded', seq, cause };
}

function tokenEvents(
  installation: Installation,
  { token: change }: DecidedSync,
  seq: number | null,
): readonly EventDraft[] {
  const held = installation.token;
  const base = { installationRef: installation.ref, seq } as const;
  switch (change?.kind) {
    case undefined:
      return [];
    case 'clear':
      return [{ ...base, kind: 'token.retired', oldToken: fingerprint(held), cause: 'cleared' }];
    case 'confirm':
      if (held === null || held.status === 'live' || held.status === 'contested') return [];
      return [{ ...base, kind: 'token.restored', newToken: fingerprint(held), cause: 'check_in' }];
    case 'hold': {
      const newToken = tokenFingerprint(change.claim.address.token);
      const moved: EventDraft[] =
        change.displaced === null
          ? []
          : [{ installationRef: change.displaced.ref, kind: 'token.moved', oldToken: newToken }];
      return [...moved, { ...base, ...heldEvent(held, change.claim), newToken }];
    }
  }
}

function heldEvent(
  held: HeldToken | null,
  claim: TokenClaim,
): Pick<EventDraft, 'kind' | 'oldToken'> {
  if (held === null) return { kind: 'token.attached' };
  if (held.key.equals(claim.key)) return { kind: 'token.restored' };
  return { kind: 'token.refreshed', oldToken: fingerprint(held) };
}

function fingerprint(held: HeldToken | null): string | null {
  return held === null ? null : tokenFingerprint(held.address.token);
}

function linkEvents(
  installation: Installation,
  { link: change, orders, refusedProof }: DecidedSync,
  seq: number | null,
  attachedRef: number | null,
): readonly EventDraft[] {
  const base = { installationRef: installation.ref, seq } as const;
  const events: EventDraft[] = [];
  if (change !== null && installation.link !== null) {
    const cause = change.kind === 'detach' ? change.endedBy : 'switched';
    events.push({ ...base, kind: 'user.detached', userRef: installation.link.userRef, cause });
  }
  if (change?.kind === 'attach') {
    events.push({ ...base, kind: 'user.attached', userRef: attachedRef });
  }
  // The repetition of a refused packet is refused again and tells nothing new.
  if (refusedProof !== null && orders.user === 'newer') {
    events.push({ ...base, kind: 'registration.refused', cause: refusedProof });
  }
  return events;
}

function deviceEvents(
  installation: Installation,
  { device: patch }: DecidedSync,
  seq: number | null,
): readonly EventDraft[] {
  if (patch === null) return [];
  const base = { installationRef: installation.ref, seq } as const;
  const events: EventDraft[] = [];
  const permission = patch.permission;
  if (permission !== undefined && permission !== installation.permission) {
    events.push({ ...base, kind: 'permission.changed', cause: permission ?? 'cleared' });
  }
  const version = patch.facts.appVersion;
  const known = installation.device.appVersion;
  if (version !== undefined && version !== null && known !== null && version !== known) {
    events.push({ ...base, kind: 'installation.updated', cause: `app version ${version}` });
  }
  return events;
}
