import type { Reachability } from '../domain/candidate.ts';
import type { TokenStatus } from '../domain/installation.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import { installationFor, purposeOf } from './addressed-installation.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { listOf, type Queryable } from './sql.ts';

/** An installation that an audience resolved to, with what decides its lane. */
export interface Candidate extends Reachability {
  readonly installationRef: number;
  /** Whose link led here; 0 where nobody's did. */
  readonly userRef: number;
}

interface CandidateRow {
  readonly installation_ref: number;
  readonly user_ref: number;
  readonly token_status: TokenStatus | null;
  readonly credential_ref: number | null;
  readonly dormant: boolean;
}

/** Where some users, by their ids, are signed in at this moment. */
export async function installationsOfUsers(
  db: Queryable,
  appRef: number,
  userIds: readonly string[],
  purpose: PurposeTarget | null,
): Promise<readonly Candidate[]> {
  const rows = await db<CandidateRow[]>`
    select i.installation_ref, l.user_ref, i.token_status, c.credential_ref,
      i.dormant_since is not null as dormant
    from app_user u join link l on l.user_ref = u.user_ref and l.ended_at is null
      cross join ${purposeOf(db, purpose)}
      join lateral (${db.unsafe(installationFor(purpose, 'l.installation_ref'))}) i on true
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
    where u.app_ref = ${appRef} and u.id = any(${listOf(db, 'text', userIds)})
    order by i.installation_ref, l.user_ref`;
  return rows.map(toCandidate);
}

/** Installations by their ids, as they are at this moment; removed ones are left out. */
export async function installationsById(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
  purpose: PurposeTarget | null,
): Promise<readonly Candidate[]> {
  const rows = await db<CandidateRow[]>`
    select i.installation_ref, 0::bigint as user_ref, i.token_status, c.credential_ref,
      i.dormant_since is not null as dormant
    from installation named cross join ${purposeOf(db, purpose)}
      join lateral (${db.unsafe(installationFor(purpose, 'named.installation_ref'))}) i on true
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
    where named.app_ref = ${appRef} and named.id = any(${listOf(db, 'uuid', ids)})
      and named.removed_at is null
    order by i.installation_ref`;
  return rows.map(toCandidate);
}

/** The references of the installations among some ids that the app has. */
export async function findInstallationRefs(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<readonly number[]> {
  const rows = await db<{ installation_ref: number }[]>`
    select installation_ref from installation
    where app_ref = ${appRef} and id = any(${[...ids]}::uuid[]) and removed_at is null`;
  return rows.map((row) => row.installation_ref);
}

function toCandidate(row: CandidateRow): Candidate {
  return {
    installationRef: row.installation_ref,
    userRef: row.user_ref,
    tokenStatus: row.token_status,
    credentialRef: row.credential_ref,
    isDormant: row.dormant,
  };
}
