import { CredentialDraft, CredentialVerification } from '@homing/protocol';
import type { CredentialInspection } from '../../credentials/credential-inspection.ts';
import type { Clock } from '../../domain/clock.ts';
import { LIMITS } from '../../domain/limits.ts';
import { verdictOf } from '../../domain/verification.ts';
import { findCredentialCard, noteVerification } from '../../store/credential-cards.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { CredentialPath, requireCredentialId } from '../parameters.ts';
import { parseSettings } from '../parse-credential.ts';
import { renderVerification } from '../render-credential.ts';
import type { HttpServer } from '../server.ts';

export interface AppCredentialVerifyDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly inspection: CredentialInspection;
}

const tags = ['credentials'];
const response = { 200: CredentialVerification };

/** Asks a provider about a credential, stored or not yet, in a way that reaches no phone. */
export function appCredentialVerify(
  server: HttpServer,
  { db, clock, authenticator, inspection }: AppCredentialVerifyDependencies,
): void {
  const summaryOfDraft = 'Ask the provider about settings before they are added';
  server.post(
    '/v1/app/credentials/verify',
    { schema: { body: CredentialDraft, response, summary: summaryOfDraft, tags } },
    async (request) => {
      await authenticator.backEnd(request, 'credentials:write');
      const { provider, settings } = request.body;
      parseSettings(inspection, request.body);
      return renderVerification(await inspection.verify(provider, settings, patience()));
    },
  );
  const summary = 'Ask the provider about a credential; nothing reaches a phone';
  server.post(
    '/v1/app/credentials/:credential_id/verify',
    { schema: { params: CredentialPath, response, summary, tags } },
    async (request) => {
      const { app } = await authenticator.backEnd(request, 'credentials:write');
      const id = requireCredentialId(request.params.credential_id);
      const card = await findCredentialCard(db, app.ref, id);
      if (card === null || card.retiredAt !== null) throw notFound('live credential');
      const verification = await inspection.verifyStored(card.ref, patience());
      const isTaken = verification !== null && verdictOf(verification) === true;
      if (isTaken) await noteVerification(db, card.ref, clock());
      return renderVerification(verification);
    },
  );
}

/** Covers two providers' answers that come late; whoever waits longer had better be told so. */
function patience(): AbortSignal {
  return AbortSignal.timeout(LIMITS.verifyMs);
}
