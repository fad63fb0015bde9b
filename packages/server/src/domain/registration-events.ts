import { tokenFingerprint } from './address-key.ts';
import type { EventDraft } from './event.ts';
import type { HeldToken, Installation } from './installation.ts';
import { isPutAside, type DecidedSync, type TokenClaim } from './registration.ts';

/**
 * What the timeline tells about a decision. The users who were attached are named apart, because an
 * unknown one is made known only with the link.
 */
export function registrationEvents(
  installation: Installation,
  decided: DecidedSync,
  seq: number | null,
  attachedRefs: readonly number[],
): readonly EventDraft[] {
  return [
    ...tokenEvents(installation, decided, seq),
    ...linkEvents(installation, decided, seq, attachedRefs),
    ...deviceEvents(installation, decided, seq),
    ...returnEvents(installation),
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
  return {
    installationRef: installation.ref,
    kind: 'registration.superseded',
    seq,
    cause,
    once: true,
  };
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
    case 'confirm': {
      if (held === null || !(isPutAside(held) || change.settlesDispute)) return [];
      const token = fingerprint(held);
      const cause = change.settlesDispute ? 'challenge' : 'check_in';
      const restored = { ...base, kind: 'token.restored', newToken: token, cause } as const;
      const contested = { ...base, kind: 'token.contested', oldToken: token } as const;
      return change.isContested ? [restored, contested] : [restored];
    }
    case 'hold': {
      const newToken = tokenFingerprint(change.claim.address.token);
      const moved: EventDraft[] =
        change.displaced === null
          ? []
          : [{ installationRef: change.displaced.ref, kind: 'token.moved', oldToken: newToken }];
      const contested: EventDraft[] = change.isContested
        ? [{ ...base, kind: 'token.contested', oldToken: newToken }]
        : [];
      const attached = { ...base, ...heldEvent(held, change.claim), newToken };
      return [...moved, attached, ...contested];
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
  { links, orders }: DecidedSync,
  seq: number | null,
  attachedRefs: readonly number[],
): readonly EventDraft[] {
  const base = { installationRef: installation.ref, seq } as const;
  const cause = links.endedBy;
  // The repetition of a refused packet is refused again and tells nothing new.
  const refused = orders.user === 'newer' ? links.refused : [];
  return [
    ...links.ended.map(
      ({ userRef }) => ({ ...base, kind: 'user.detached', userRef, cause }) as const,
    ),
    ...attachedRefs.map((userRef) => ({ ...base, kind: 'user.attached', userRef }) as const),
    ...refused.map(({ why }) => ({ ...base, kind: 'registration.refused', cause: why }) as const),
  ];
}

/** The line about a contact that ends a dormancy; none for any other contact. */
export function returnEvents({ ref, dormantSince }: Installation): readonly EventDraft[] {
  return dormantSince === null ? [] : [{ installationRef: ref, kind: 'installation.returned' }];
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
  const failure = patch.tokenError?.code ?? null;
  if (failure !== null && failure !== installation.tokenError?.code) {
    events.push({ ...base, kind: 'token.failed', cause: failure });
  }
  const version = patch.facts.appVersion;
  const known = installation.device.appVersion;
  if (version !== undefined && version !== null && known !== null && version !== known) {
    events.push({ ...base, kind: 'installation.updated', cause: `app version ${version}` });
  }
  return events;
}
