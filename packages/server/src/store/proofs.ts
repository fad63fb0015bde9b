import type { Queryable, Transaction } from './sql.ts';

/** The installation that used an assertion, by the assertion's own id; null when it is fresh. */
export async function installationOfProof(
  db: Queryable,
  appRef: number,
  jti: string,
): Promise<number | null> {
  const [row] = await db<{ installation_ref: number }[]>`
    select installation_ref from proof where app_ref = ${appRef} and jti = ${jti}`;
  return row?.installation_ref ?? null;
}

/**
 * Records that an installation used an assertion, once. Of two that do so at the same time the
 * later one fails on the key; its transaction is run again and finds the assertion used.
 */
export async function recordProof(
  tx: Transaction,
  appRef: number,
  jti: string,
  installationRef: number,
  now: Date,
): Promise<void> {
  await tx`
    insert into proof (app_ref, jti, installation_ref, used_at)
    select ${appRef}, ${jti}, ${installationRef}, ${now}
    where not exists (
      select 1 from proof
      where app_ref = ${appRef} and jti = ${jti} and installation_ref = ${installationRef})`;
}
