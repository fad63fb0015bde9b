/** What authenticates our requests to a provider: a signed JWT or an OAuth access token. */
export interface ProviderToken {
  readonly value: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * Where the processes of one installation of Homing share a provider token. APNs punishes two
 * processes that sign their own (429 TooManyProviderTokenUpdates), and ECDSA signatures differ even
 * for equal claims, so the token itself has to be shared.
 */
export interface ProviderTokenStore {
  /** The token that is stored at the moment, usable or not; null when there is none. */
  load(): Promise<ProviderToken | null>;

  /**
   * Under a lock that spans all processes: calls `mint` with the token stored by then and stores
   * what it returns. `mint` returns the token it was given when another process has renewed it
   * meanwhile.
   */
  renew(mint: (stored: ProviderToken | null) => Promise<ProviderToken>): Promise<ProviderToken>;
}
