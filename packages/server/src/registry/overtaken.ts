import type { Installation } from '../domain/installation.ts';
import type { SyncFacts } from './sync-facts.ts';
import {
  installationIdOf,
  type LogoutRequest,
  type RegistryRequest,
  type SyncRequest,
} from './sync-request.ts';

/**
 * Whether a packet that had to wait, and has no sequence to order it, would undo what came after
 * it: its caller has to look again. Asked of packets that were delayed alone, because the times of
 * two servers differ a little.
 */
export function isOvertaken(request: RegistryRequest, facts: SyncFacts): boolean {
  const own = facts.enrolled.has(installationIdOf(request))
    ? null
    : (facts.installations.get(installationIdOf(request)) ?? null);
  const changes =
    request.kind === 'logout' ? logoutChanges(request, own) : syncChanges(request, own, facts);
  const { now } = request.context;
  return changes.some((at) => at !== null && at > now);
}

type Instants = readonly (Date | null)[];

/** A logout says nothing of whoever signed in later; all else is no reason to refuse it (R5). */
function logoutChanges({ logout }: LogoutRequest, own: Installation | null): Instants {
  return logout.seq === null ? linkTimes(own) : [];
}

/** When the users or the token changed that a packet is about. */
function syncChanges({ input }: SyncRequest, own: Installation | null, facts: SyncFacts): Instants {
  if (input.seq !== null) return [];
  const key = input.token?.claim?.key.toString('hex') ?? '';
  const ids = (input.user?.claims ?? []).map(({ id }) => id);
  return [
    ...linkTimes(own),
    own === null ? null : (facts.lastEnds.get(own.ref) ?? null),
    own?.serverWriteAt ?? null,
    own?.removedAt ?? null,
    own?.token?.changedAt ?? null,
    facts.holders.get(key)?.token?.changedAt ?? null,
    ...ids.flatMap((id) => [
      facts.users.get(id)?.notBefore ?? null,
      facts.erasures.get(id) ?? null,
    ]),
  ];
}

function linkTimes(own: Installation | null): Instants {
  return own?.links.map(({ linkedAt }) => linkedAt) ?? [];
}
