/**
 * An audience that no request could name: it is walked by key when it is expanded. What it says of
 * users decides who is reached beside anonymous installations (see docs/lifecycle.md).
 */
export type WalkedAudience = { readonly kind: 'everyone' };

/** As it came, and as it is stored with its notification. */
export type StoredAudience =
  | { readonly users: readonly string[] }
  | { readonly installations: readonly string[] }
  | { readonly everyone: true };

/** Null for one that names its users or installations. */
export function walkedAudience(stored: StoredAudience): WalkedAudience | null {
  return 'everyone' in stored ? { kind: 'everyone' } : null;
}
