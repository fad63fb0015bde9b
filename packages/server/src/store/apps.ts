import assert from 'node:assert';
import { toDormancyPolicy, type DormancyInput, type DormancyPolicy } from '../domain/dormancy.ts';
import { columns, type Queryable, type Transaction } from './sql.ts';

/** A customer's application: the tenant boundary. */
export interface App {
  readonly ref: number;
  /** UUID; customers see it as `app_…`. */
  readonly id: string;
  readonly name: string;
  readonly environment: 'live' | 'test';
  readonly identity: 'required' | 'off';
  readonly accountMode: 'exclusive' | 'multi';
  readonly allowedOrigins: readonly string[];
  readonly defaultTtlSeconds: number;
  readonly userBoundTtlCeilingSeconds: number;
  /** How an installation without a newer assertion gets a token that another one holds. */
  readonly takeover: 'nonce' | 'challenge';
  /** Whether an HMAC of the user id may stand in for an assertion. */
  readonly staticSignatures: boolean;
  /** Where the app publishes identity keys; null where it does not. */
  readonly jwksUrl: string | null;
  readonly dormancy: DormancyPolicy;
}

interface AppRow {
  readonly app_ref: number;
  readonly id: string;
  readonly name: string;
  readonly environment: 'live' | 'test';
  readonly identity: 'required' | 'off';
  readonly account_mode: 'exclusive' | 'multi';
  readonly allowed_origins: string[];
  readonly default_ttl_seconds: number;
  readonly user_bound_ttl_ceiling_seconds: number;
  readonly takeover: 'nonce' | 'challenge';
  readonly static_signatures: boolean;
  readonly jwks_url: string | null;
  readonly dormancy: DormancyInput;
}

export type NewApp = Pick<App, 'id' | 'name' | 'environment' | 'identity' | 'allowedOrigins'>;

export async function insertApp(tx: Transaction, app: NewApp): Promise<App> {
  const [row] = await tx<AppRow[]>`
    insert into app (id, name, environment, identity, allowed_origins)
    values (${app.id}, ${app.name}, ${app.environment}, ${app.identity}, ${[...app.allowedOrigins]})
    returning *`;
  if (row === undefined) throw new Error('insert returned no app');
  return toApp(row);
}

export async function findApp(db: Queryable, id: string): Promise<App | null> {
  const [row] = await db<AppRow[]>`select * from app where id = ${id}`;
  return row === undefined ? null : toApp(row);
}

/** An app that is known to exist. */
export async function requireApp(db: Queryable, ref: number): Promise<App> {
  const [row] = await db<AppRow[]>`select * from app where app_ref = ${ref}`;
  assert(row !== undefined);
  return toApp(row);
}

/** The same, with its row locked against other changes of its settings. */
export async function lockApp(tx: Transaction, ref: number): Promise<App> {
  const [row] = await tx<AppRow[]>`select * from app where app_ref = ${ref} for no key update`;
  assert(row !== undefined);
  return toApp(row);
}

/** Overwrites what the patch names. */
export async function updateApp(
  tx: Transaction,
  ref: number,
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tx`update app set ${columns(tx, patch)} where app_ref = ${ref}`;
}

/** The apps whose last review, or whose making, lies before a moment; none is under way there. */
export async function appsToReview(db: Queryable, before: Date): Promise<readonly App[]> {
  const rows = await db<AppRow[]>`
    select a.* from app a
    where a.created_at < ${before} and not exists (
      select 1 from review r where r.app_ref = a.app_ref
        and (r.created_at >= ${before} or r.state in ('counting', 'applying')))
    order by a.app_ref`;
  return rows.map(toApp);
}

/** Up to `limit` apps, oldest first. */
export async function listApps(db: Queryable, limit: number): Promise<readonly App[]> {
  const rows = await db<AppRow[]>`select * from app order by app_ref limit ${limit}`;
  return rows.map(toApp);
}

export interface ApiKey {
  readonly ref: number;
  readonly kind: 'secret' | 'publishable';
  readonly scopes: readonly string[];
  readonly hint: string;
  /** The last day on which it opened something, `YYYY-MM-DD`. */
  readonly lastUsedOn: string | null;
  readonly app: App;
}

interface ApiKeyRow extends AppRow {
  readonly key_ref: number;
  readonly kind: 'secret' | 'publishable';
  readonly scopes: string[];
  readonly hint: string;
  readonly last_used_on: string | null;
}

/** The living key with this hash and its app; null for unknown, expired and revoked ones. */
export async function findApiKey(
  db: Queryable,
  keyHash: Buffer,
  now: Date,
): Promise<ApiKey | null> {
  const [row] = await db<ApiKeyRow[]>`
    select k.key_ref, k.kind, k.scopes, k.hint, k.last_used_on, a.* from api_key k join app a using (app_ref)
    where k.key_hash = ${keyHash} and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > ${now})`;
  if (row === undefined) return null;
  const { key_ref: ref, kind, scopes, hint, last_used_on: lastUsedOn } = row;
  return { ref, kind, scopes, hint, lastUsedOn, app: toApp(row) };
}

/** Notes that a key opened something on a day; of several processes one writes the row. */
export async function recordKeyUse(db: Queryable, keyRef: number, day: string): Promise<void> {
  await db`
    update api_key set last_used_on = ${day}
    where key_ref = ${keyRef} and (last_used_on is null or last_used_on < ${day})`;
}

export async function insertApiKey(
  tx: Transaction,
  appRef: number,
  key: Pick<ApiKey, 'kind' | 'scopes' | 'hint'> & { readonly hash: Buffer },
): Promise<void> {
  await tx`
    insert into api_key (app_ref, kind, key_hash, hint, scopes)
    values (${appRef}, ${key.kind}, ${key.hash}, ${key.hint}, ${[...key.scopes]})`;
}

function toApp(row: AppRow): App {
  return {
    ref: row.app_ref,
    id: row.id,
    name: row.name,
    environment: row.environment,
    identity: row.identity,
    accountMode: row.account_mode,
    allowedOrigins: row.allowed_origins,
    defaultTtlSeconds: row.default_ttl_seconds,
    userBoundTtlCeilingSeconds: row.user_bound_ttl_ceiling_seconds,
    takeover: row.takeover,
    staticSignatures: row.static_signatures,
    jwksUrl: row.jwks_url,
    dormancy: toDormancyPolicy(row.dormancy),
  };
}
