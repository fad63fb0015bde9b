import type { AccountMode, Claim, Logout, Nonce, Packet, Proof } from './operation.ts';

/** What a client may have sent before and can send again. */
export type ClientOperation = Packet | Logout;

interface Refused {
  readonly packet: Packet;
  readonly nonce: Nonce;
}

/**
 * What the clients of one history remember: their counters, every packet that they wrote, whether
 * it was sent or is still on its way, and the nonces that they were given.
 */
export class Drawer {
  readonly #accountMode: AccountMode;
  readonly #seqs = new Map<string, number>();
  readonly #written: ClientOperation[] = [];
  readonly #refused: Refused[] = [];
  #proofs = 0;

  constructor(accountMode: AccountMode) {
    this.#accountMode = accountMode;
  }

  /** As many of those who are meant as the app lets be signed in on one installation. */
  admitted<T>(named: readonly T[]): readonly T[] {
    return this.#accountMode === 'multi' ? named : named.slice(0, 1);
  }

  /** Writes a packet under the installation's next sequence, or under one that it had before. */
  packet(installation: string, part: Pick<Packet, 'token' | 'users'>, back = 0): Packet {
    const seq = this.#nextSeq(installation, back);
    return this.#write({ kind: 'sync', installation, secret: installation, seq, ...part });
  }

  /** Of one user, or of all. */
  logout(installation: string, isCounted: boolean, user: string | null): Logout {
    const seq = isCounted ? this.#nextSeq(installation, 0) : null;
    return this.#write({ kind: 'logout', installation, secret: installation, seq, user });
  }

  /** A claim with an assertion of its own. */
  claim(user: string, issuedAt: number): Claim {
    this.#proofs += 1;
    return { user, proof: { id: `proof-${this.#proofs}`, issuedAt } };
  }

  /** A claim with an assertion that was shown before, for this user on this installation. */
  usedClaim(installation: string, user: string, pick: number): Claim {
    const known = this.#written.flatMap((one): readonly Proof[] =>
      one.kind === 'sync' && one.installation === installation
        ? (one.users ?? []).flatMap((claim) => (claim.user === user ? (claim.proof ?? []) : []))
        : [],
    );
    return { user, proof: picked(known, pick) };
  }

  /** Any packet that was written before. */
  written(pick: number): ClientOperation | null {
    return picked(this.#written, pick);
  }

  /** The installation's last packet, as a check-in repeats it. */
  last(installation: string): ClientOperation | null {
    return this.#written.findLast((one) => one.installation === installation) ?? null;
  }

  refuse(packet: Packet, nonce: Nonce): void {
    this.#refused.push({ packet, nonce });
  }

  /** A packet that was refused for its token, with the nonce that came with the refusal. */
  echo(pick: number): Packet | null {
    const refused = picked(this.#refused, pick);
    return refused === null ? null : this.#write({ ...refused.packet, takeover: refused.nonce });
  }

  #nextSeq(installation: string, back: number): number {
    const last = this.#seqs.get(installation) ?? 0;
    if (back > 0) return Math.max(1, last - back + 1);
    this.#seqs.set(installation, last + 1);
    return last + 1;
  }

  #write<T extends ClientOperation>(operation: T): T {
    this.#written.push(operation);
    return operation;
  }
}

/** One of the items, the newest for 0; null when there is none. */
function picked<T>(items: readonly T[], pick: number): T | null {
  return items.at(-1 - (pick % Math.max(1, items.length))) ?? null;
}
