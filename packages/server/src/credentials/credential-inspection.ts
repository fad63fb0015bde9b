import type { ProviderName } from '../domain/address.ts';
import type { Verification } from '../domain/verification.ts';
import type { NewProviderCredential } from './add-credential.ts';

/** What an operator gave, checked and divided by the provider's own rules. */
export type CredentialParts = Pick<
  NewProviderCredential,
  'project' | 'environments' | 'topics' | 'settings' | 'secret' | 'expiresAt'
>;

export type InspectedSettings =
  | { readonly kind: 'settings'; readonly settings: CredentialParts }
  /** Each names its field, as in `serviceAccount.private_key`, and none repeats a value. */
  | {
      readonly kind: 'problems';
      readonly problems: readonly { readonly field: string; readonly message: string }[];
    };

type Settings = Readonly<Record<string, unknown>>;

/** What can be said of a credential without sending anything to a phone. */
export interface CredentialInspection {
  /** Whether these settings make a credential of the provider. */
  check(provider: ProviderName, settings: Settings): InspectedSettings;
  /** Asks the provider about settings that were checked. */
  verify(provider: ProviderName, settings: Settings, signal: AbortSignal): Promise<Verification>;
  /** The same for a credential that is stored; null where it was retired. */
  verifyStored(credentialRef: number, signal: AbortSignal): Promise<Verification | null>;
  /** What a provider means by the code that a credential was stopped with; null for an unknown. */
  meaningOf(provider: ProviderName, code: string): string | null;
}
