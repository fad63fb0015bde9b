import { verifyAssertion } from '../access/assertion.ts';
import type { IdentityKeyBook } from '../access/identity-key-book.ts';
import { matchStaticSignature } from '../access/static-signature.ts';
import type { RegistryContext } from '../registry/caller.ts';
import type { ClaimedProof } from '../registry/prove-user.ts';
import type { App } from '../store/apps.ts';
import { formatTypedId } from '../domain/typed-id.ts';

/** What a packet offers as proof that its user is signed in. */
export interface OfferedProof {
  readonly userId: string;
  readonly assertion: string | null;
  readonly signature: string | null;
}

/** Judges proofs before the registry opens its transaction. */
export interface Identity {
  prove(
    context: RegistryContext,
    installationId: string,
    offered: OfferedProof,
  ): Promise<ClaimedProof>;
}

export function createIdentity(identityKeys: IdentityKeyBook): Identity {
  return {
    async prove(context, installationId, offered) {
      const { app, caller, now } = context;
      if (caller.kind === 'back_end') return { kind: 'trusted' };
      if (offered.assertion === null) return withoutAssertion(identityKeys, app, offered);
      const verdict = await verifyAssertion(
        offered.assertion,
        { audience: formatTypedId('app', app.id), installationId, allowExpired: false },
        identityKeys.keysOf(app),
        now,
      );
      if (verdict.kind === 'refused' || verdict.kind === 'unavailable') return verdict;
      if (verdict.userId !== offered.userId) {
        return { kind: 'refused', why: '"sub" is not the user that the packet names' };
      }
      if (verdict.kind === 'expired') return verdict;
      return { kind: 'proven', issuedAt: verdict.issuedAt, proofId: verdict.proofId };
    },
  };
}

async function withoutAssertion(
  identityKeys: IdentityKeyBook,
  app: App,
  { userId, signature }: OfferedProof,
): Promise<ClaimedProof> {
  if (signature !== null) {
    if (!app.staticSignatures) {
      return { kind: 'refused', why: 'static signatures are not switched on for this app' };
    }
    const since = matchStaticSignature(signature, userId, await identityKeys.secretsOf(app));
    if (since !== null) return { kind: 'static', since };
    return { kind: 'refused', why: 'the signature is not that of the user id' };
  }
  if (app.identity === 'off') return { kind: 'claimed' };
  return { kind: 'refused', why: 'this app requires an assertion for its users' };
}
