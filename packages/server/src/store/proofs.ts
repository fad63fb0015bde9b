import type { UsedProof } from '../domain/change-set.ts';
import { json, listOf, type Queryable, type Transaction } from './sql.ts';

/** Which installation used each of some assertions, by the assertions' own ids. */
export async function findUsedProofs(
  db: Queryable,
  appRef: number,
  jtis: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (jtis.length === 0) return new Map();
  const rows = await db<{ jti: string; installation_ref: number }[]>`
    select jti, installation_ref from proof
    where app_ref = ${appRef} and jti = any(${listOf(db, 'text', jtis)})`;
  return new Map(rows.map((row) => [row.jti, row.installation_ref]));
}

/** An assertion that is too old to sign in, and what it says of a time long gone. */
export interface ExpiredProof {
  readonly proofId: string;
  readonly installationId: string;
  /** The customer's own id. */
  readonly userId: string;
  readonly issuedAt: Date;
}

/**
 * The same for assertions that have expired, whose ids are kept for a day only: the history of the
 * installation tells by the second in which it was issued which one signed its user in.
 */
export async function findLinkedProofs(
  db: Queryable,
  appRef: number,
  proofs: readonly ExpiredProof[],
): Promise<ReadonlyMap<string, number>> {
  if (proofs.length === 0) return new Map();
  const rows = proofs.map(({ proofId, installationId, userId, issuedAt }) => ({
    jti: proofId,
    i: installationId,
    u: userId,
    at: issuedAt,
  }));
  const linked = await db<{ jti: string; installation_ref: number }[]>`
    select p.jti, l.installation_ref
    from jsonb_to_recordset(${json(rows)}) as p (jti text, i uuid, u text, at timestamptz)
      join installation i on i.app_ref = ${appRef} and i.id = p.i
      join app_user u on u.app_ref = ${appRef} and u.id = p.u
      join link l on l.installation_ref = i.installation_ref and l.user_ref = u.user_ref
        and l.asserted_at = p.at`.execute();
  return new Map(linked.map((row) => [row.jti, row.installation_ref]));
}

/**
 * Records that installations used assertions, each once. Of two that use one at the same time the
 * later fails on the key; run again, its transaction finds the assertion used.
 */
export async function recordProofs(
  tx: Transaction,
  appRef: number,
  proofs: readonly UsedProof[],
): Promise<void> {
  if (proofs.length === 0) return;
  const rows = proofs.map(({ jti, installationRef, at }) => ({ jti, i: installationRef, at }));
  // A look-up for each: as an anti-join, it can be planned as a walk over all proofs of the app.
  await tx`
    insert into proof (app_ref, jti, installation_ref, used_at)
    select ${appRef}, p.jti, p.i, p.at
    from jsonb_to_recordset(${json(rows)}) as p (jti text, i bigint, at timestamptz)
    where p.i is distinct from (
      select used.installation_ref from proof used
      where used.app_ref = ${appRef} and used.jti = p.jti)
    order by p.jti`.execute();
}
