/** An assertion that a user is signed in on an installation. Times are whole seconds. */
export interface Claim {
  readonly user: string;
  /** Null for a claim without an assertion, or with a forged one. */
  readonly proof: Proof | null;
}

export interface Proof {
  /** Its `jti`: an assertion signs in once. */
  readonly id: string;
  readonly issuedAt: number;
}

/** What a `409 token_held` hands out: good for one claimant, token and state of the holder. */
export interface Nonce {
  readonly installation: string;
  readonly token: string;
  readonly holder: string;
  readonly holderVersion: number;
  readonly issuedAt: number;
}

/** A registration packet of an installation. Left out is unchanged, null clears. */
export interface Packet {
  readonly kind: 'sync';
  readonly installation: string;
  /** Whose secret comes with it. */
  readonly secret: string;
  readonly seq: number;
  readonly token?: string | null;
  /** Everybody who is signed in from now on; in an exclusive app one at most. */
  readonly users?: readonly Claim[];
  readonly takeover?: Nonce;
}

/** `DELETE …/user`, or of one user: a sequence, or null from a client that keeps none. */
export interface Logout {
  readonly kind: 'logout';
  readonly installation: string;
  readonly secret: string;
  /** Null for everybody. */
  readonly user: string | null;
  readonly seq: number | null;
}

/** A back end's write: no sequence, no proof. */
export interface Assignment {
  readonly kind: 'assign';
  readonly installation: string;
  readonly token?: string | null;
  readonly users?: readonly string[];
}

/** How many users may be signed in on one installation: one, or several. */
export type AccountMode = 'exclusive' | 'multi';

/** Everything that changes the registry; the names stand for ids that each history makes anew. */
export type Operation =
  | Packet
  | Logout
  | Assignment
  | { readonly kind: 'remove'; readonly installation: string; readonly secret: string }
  /** Everywhere, or on the named installations. */
  | { readonly kind: 'revoke'; readonly user: string; readonly named: readonly string[] | null }
  | { readonly kind: 'erase'; readonly user: string }
  /**
   * The provider says that a token is dead, to a push that is sent to it now: since a moment ago,
   * since before any registration, or without telling since when.
   */
  | { readonly kind: 'dead'; readonly token: string; readonly since: DeadSince };

export type DeadSince = 'just_now' | 'long_ago' | 'untold';

/** An operation in words, for the history of a failure. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'sync':
      return describePacket(operation);
    case 'logout':
      return `${sender(operation)} signs ${operation.user ?? 'all'} out (seq ${operation.seq ?? 'none'})`;
    case 'assign':
      return `the back end sets ${parts(operation.installation, operation.token, operation.users)}`;
    case 'remove':
      return `${sender(operation)} is removed`;
    case 'revoke':
      return `the back end revokes ${operation.user} ${operation.named?.join(', ') ?? 'everywhere'}`;
    case 'erase':
      return `the back end erases ${operation.user}`;
    case 'dead':
      return `the provider calls ${operation.token} dead, since ${operation.since}`;
  }
}

function describePacket(packet: Packet): string {
  const echo = packet.takeover === undefined ? '' : ', echoing a nonce';
  const what = parts('reports', packet.token, packet.users?.map(describeClaim));
  return `${sender(packet)} ${what} (seq ${packet.seq}${echo})`;
}

function describeClaim({ user, proof }: Claim): string {
  if (proof === null) return `${user} without proof`;
  return `${user} by assertion ${proof.id} of second ${proof.issuedAt}`;
}

function parts(first: string, token?: string | null, users?: readonly string[]): string {
  const words = [first];
  if (token !== undefined) words.push(token ?? 'no token');
  if (users !== undefined) words.push(users.join(' and ') || 'nobody signed in');
  return words.join(' ');
}

function sender(by: { readonly installation: string; readonly secret: string }): string {
  const { installation, secret } = by;
  return secret === installation ? installation : `${secret}, posing as ${installation},`;
}
