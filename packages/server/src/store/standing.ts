import type { ProviderName } from '../domain/address.ts';
import type { AlertKind } from '../domain/alert.ts';
import type { Queryable } from './sql.ts';

/** As PostgreSQL numbers it: 150004 for 15.4. */
export async function databaseVersion(db: Queryable): Promise<number> {
  const [row] = await db<{ version: number }[]>`
    select current_setting('server_version_num')::integer as version`;
  return row?.version ?? 0;
}

export async function databaseTime(db: Queryable): Promise<Date> {
  const [row] = await db<{ at: Date }[]>`select clock_timestamp() as at`;
  return row?.at ?? new Date(0);
}

/** How the sending of a deployment stands, by what the database knows. */
export interface SendingStanding {
  /** Workers that hold a lease, or listen for work. */
  readonly workers: number;
  /** Chunks, retries and probes that could be worked on, and are not. */
  readonly waiting: number;
  /** For how long the first of those has been due; 0 where there is none. */
  readonly oldestSeconds: number;
}

/**
 * What waits for a credential that was stopped is due again and again, so that this says whether
 * somebody works at all, and not whether all goes well.
 */
export async function sendingStanding(db: Queryable): Promise<SendingStanding> {
  const [row] = await db<SendingStanding[]>`
    with due as (
      select available_at as at from chunk
      where available_at <= now() and (lease_until is null or lease_until < clock_timestamp())
      union all select due_at from retry where due_at <= now()
      union all
      select available_at from probe
      where settled_at is null and available_at <= now()
        and (lease_until is null or lease_until < clock_timestamp())
    )
    select count(*) as waiting,
      coalesce(extract(epoch from now() - min(at)), 0)::float8 as "oldestSeconds",
      greatest(
        (select count(distinct lease_owner) from chunk where lease_until > clock_timestamp()),
        (select count(*) from pg_stat_activity
          where datname = current_database() and application_name = 'homing listener')
      ) as workers
    from due`;
  return row ?? { workers: 0, waiting: 0, oldestSeconds: 0 };
}

/** A credential in use, and whose it is. */
export interface LiveCredential {
  readonly ref: number;
  readonly id: string;
  readonly provider: ProviderName;
  readonly name: string;
  readonly project: string;
  readonly appName: string;
  readonly expiresAt: Date | null;
}

/** The credentials of all apps that are not retired. */
export async function liveCredentials(db: Queryable): Promise<readonly LiveCredential[]> {
  return db<LiveCredential[]>`
    select k.credential_ref as ref, k.id, k.provider, k.name, k.project, a.name as "appName",
      k.expires_at as "expiresAt"
    from credential k join app a using (app_ref)
    where k.retired_at is null order by k.credential_ref`;
}

/** How many alerts are open, by kind. */
export async function countOpenAlerts(
  db: Queryable,
): Promise<readonly { readonly kind: AlertKind; readonly count: number }[]> {
  return db<{ kind: AlertKind; count: number }[]>`
    select kind, count(*) as count from alert where closed_at is null group by kind order by kind`;
}
