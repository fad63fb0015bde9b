import type { CredentialAnswer, CredentialVerification } from '@homing/protocol';
import type { CredentialInspection } from '../credentials/credential-inspection.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import { verdictOf, type Verification } from '../domain/verification.ts';
import type { CredentialCard } from '../store/credential-cards.ts';

/** A credential as its owner sees it. */
export function renderCredential(
  card: CredentialCard,
  inspection: Pick<CredentialInspection, 'meaningOf'>,
): CredentialAnswer {
  const { provider, name, project, environments, topics, settings, retiredAt } = card;
  const isStopped = card.stoppedReason !== null && retiredAt === null;
  return {
    id: formatTypedId('crd', card.id),
    provider,
    name,
    project,
    environments: [...environments],
    topics: [...topics],
    settings: { ...settings },
    rate: { per_minute: card.ratePerMinute, ramp_seconds: card.rampSeconds },
    status: retiredAt !== null ? 'retired' : isStopped ? 'stopped' : 'active',
    stopped: isStopped ? renderStop(card, inspection) : null,
    created_at: card.createdAt.toISOString(),
    retired_at: retiredAt?.toISOString() ?? null,
    expires_at: card.expiresAt?.toISOString() ?? null,
    verified_at: card.verifiedAt?.toISOString() ?? null,
    last_accepted_on: card.lastAcceptedOn,
  };
}

function renderStop(
  { provider, stoppedReason, stoppedAt, createdAt }: CredentialCard,
  inspection: Pick<CredentialInspection, 'meaningOf'>,
): CredentialAnswer['stopped'] {
  const code = stoppedReason ?? '';
  const since = (stoppedAt ?? createdAt).toISOString();
  return { code, since, meaning: inspection.meaningOf(provider, code) };
}

/** What a provider said; a null stands for a credential that was retired meanwhile. */
export function renderVerification(verification: Verification | null): CredentialVerification {
  if (verification === null) return { verified: null, findings: [], clock_ahead_seconds: null };
  const { findings, clockAheadMs } = verification;
  return {
    verified: verdictOf(verification),
    findings: findings.map((finding) => ({ ...finding })),
    clock_ahead_seconds: clockAheadMs === null ? null : clockAheadMs / 1_000,
  };
}
