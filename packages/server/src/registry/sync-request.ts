import type { Installation } from '../domain/installation.ts';
import type { GroupOutcomes } from '../domain/group-outcome.ts';
import type { AccountMode, DevicePatch, RefusedUser, TokenClaim } from '../domain/registration.ts';
import type { TopicSubscription } from '../store/topics.ts';
import type { AccessRefusal } from './access-check.ts';
import type { RegistryContext } from './caller.ts';
import type { Asked } from './challenge.ts';
import type { UserClaim } from './prove-user.ts';
import type { TakeoverNonce } from './takeover-nonce.ts';

/** What an installation, or a back end for it, reports. Left out = unchanged, null = cleared. */
export interface SyncInput {
  readonly installationId: string;
  /** Required from a client; null for callers whose arrival order counts. */
  readonly seq: number | null;
  readonly token?: {
    readonly claim: TokenClaim | null;
    readonly hash: Buffer;
  };
  /** Everybody who is signed in from now on; nobody after a logout. */
  readonly user?: {
    readonly claims: readonly UserClaim[];
    /** How they are named: as the one user there can be, or as the complete set. */
    readonly form: AccountMode;
    readonly hash: Buffer;
  };
  readonly device?: { readonly patch: DevicePatch; readonly hash: Buffer };
  readonly takeover: string | null;
}

/** A packet and who sent it. */
export interface SyncRequest {
  readonly kind: 'sync';
  readonly context: RegistryContext;
  readonly input: SyncInput;
}

/** What a logout is about; all of it is looked at under the lock. */
export interface Logout {
  readonly installationId: string;
  /** Null where arrival order counts, and for a client that sends none. */
  readonly seq: number | null;
  /** Who leaves, by the customer's id; null for everybody. */
  readonly userId: string | null;
  /** Only if the installation holds one of these addresses, and the user is there; null always. */
  readonly holding: readonly Buffer[] | null;
}

export interface LogoutRequest {
  readonly kind: 'logout';
  readonly context: RegistryContext;
  readonly logout: Logout;
}

/** What stands in line for a transaction. */
export type RegistryRequest = SyncRequest | LogoutRequest;

export function installationIdOf(request: RegistryRequest): string {
  return request.kind === 'sync' ? request.input.installationId : request.logout.installationId;
}

export type LogoutResult =
  | {
      readonly kind: 'signed_out';
      /**
       * The sequence that the user group is at now; a client whose request came late goes on from
       * it.
       */
      readonly seq: number | null;
    }
  | { readonly kind: AccessRefusal };

export type SyncResult =
  | {
      readonly kind: 'synced';
      readonly created: boolean;
      readonly accountMode: AccountMode;
      /** As it is stored now. */
      readonly installation: Installation;
      readonly topics: readonly TopicSubscription[];
      readonly outcomes: GroupOutcomes;
      /** Users whose proofs were refused, although the rest applies. */
      readonly refused: readonly RefusedUser[];
    }
  | ({ readonly kind: 'token_held' } & TakeoverNonce)
  /** Null for a client that cannot echo a challenge. */
  | { readonly kind: 'token_challenged'; readonly asked: Asked | null }
  /** It names users in the form of the other kind of app; the rest applies. */
  | { readonly kind: 'wrong_form'; readonly accountMode: AccountMode }
  | { readonly kind: 'forked' | AccessRefusal };
