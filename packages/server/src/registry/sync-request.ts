import type { Address } from '../domain/address.ts';
import type { Installation } from '../domain/installation.ts';
import type { FieldGroup, Order } from '../domain/ordering.ts';
import type { DevicePatch, RefusedUser } from '../domain/registration.ts';
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
    readonly claim: { readonly address: Address; readonly key: Buffer } | null;
    readonly hash: Buffer;
  };
  /** Everybody who is signed in from now on; nobody after a logout. */
  readonly user?: { readonly claims: readonly UserClaim[]; readonly hash: Buffer };
  readonly device?: { readonly patch: DevicePatch; readonly hash: Buffer };
  readonly takeover: string | null;
}

/** A packet and who sent it. */
export interface SyncRequest {
  readonly context: RegistryContext;
  readonly input: SyncInput;
}

export type SyncResult =
  | {
      readonly kind: 'synced';
      readonly created: boolean;
      /** As it is stored now. */
      readonly installation: Installation;
      readonly topics: readonly TopicSubscription[];
      readonly orders: Partial<Readonly<Record<FieldGroup, Order>>>;
      /** Users whose proofs were refused, although the rest applies. */
      readonly refused: readonly RefusedUser[];
    }
  | ({ readonly kind: 'token_held' } & TakeoverNonce)
  /** Null for a client that cannot echo a challenge. */
  | { readonly kind: 'token_challenged'; readonly asked: Asked | null }
  | { readonly kind: 'forked' | AccessRefusal };
