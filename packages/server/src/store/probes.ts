import { addressKey } from '../domain/address-key.ts';
import type { Address } from '../domain/address.ts';
import { LIMITS } from '../domain/limits.ts';
import type { TokenDoubt } from '../domain/outcome.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { addressColumns, toAddress, type AddressRow } from './installation-row.ts';
import { bytea, json, type Queryable, type Transaction } from './sql.ts';

/**
 * - `environment`: does the token live in this other environment?
 * - `validity`: does the token work with another message than the one it was refused with?
 * - `challenge`: whoever gets the nonce through the token can echo it; see `challenges.ts`.
 */
export type ProbeKind = TokenDoubt | 'challenge';

/** An installation whose token was refused for a reason that leaves a question open. */
interface DoubtedRow extends AddressRow {
  readonly app_ref: number;
  readonly installation_ref: number;
  /** The answer only counts while it is still this one. */
  readonly holder_version: number;
}

/**
 * Asks for each of these quarantined installations whether its token lives in APNs' other
 * environment, where a credential of the app serves that one: has the dispatcher send a silent push
 * to it, in the transaction of what asks for that, unless the same was asked within a day.
 */
export async function insertEnvironmentProbes(
  tx: Transaction,
  installationRefs: readonly number[],
  now: Date,
): Promise<void> {
  if (installationRefs.length === 0) return;
  const misplaced = await tx<DoubtedRow[]>`
    select i.*
    from (
      select *, case environment when 'sandbox' then 'production' else 'sandbox' end as other
      from installation
    ) i
    where i.installation_ref = any(${[...installationRefs]}) and i.provider = 'apns'
      and exists (
        select 1 from credential k
        where k.app_ref = i.app_ref and k.provider = 'apns' and k.retired_at is null
          and i.other = any(k.environments) and i.topic = any(k.topics))`;
  const questions = misplaced.flatMap((row) => {
    const address = inOtherEnvironment(row);
    return address === null ? [] : [{ row, address }];
  });
  await insertProbes(tx, 'environment', questions, now);
}

/**
 * Asks for each of these quarantined installations whether its token works with another message
 * than the one it was refused with.
 */
export async function insertValidityProbes(
  tx: Transaction,
  installationRefs: readonly number[],
  now: Date,
): Promise<void> {
  if (installationRefs.length === 0) return;
  const doubted = await tx<DoubtedRow[]>`
    select * from installation where installation_ref = any(${[...installationRefs]})`;
  const questions = doubted.flatMap((row) => {
    const address = toAddress(row);
    return address === null ? [] : [{ row, address }];
  });
  await insertProbes(tx, 'validity', questions, now);
}

/** The address need not be the one that the installation holds. */
interface Question {
  readonly row: DoubtedRow;
  readonly address: Address;
}

async function insertProbes(
  tx: Transaction,
  kind: TokenDoubt,
  questions: readonly Question[],
  now: Date,
): Promise<void> {
  if (questions.length === 0) return;
  const inMs = (ms: number): Date => new Date(now.getTime() + ms);
  const rows = questions.map(({ row, address }) => {
    const { app_ref, installation_ref, holder_version } = row;
    const key = bytea(addressKey(address));
    return {
      app_ref,
      installation_ref,
      holder_version,
      ...addressColumns(address),
      address_key: key,
    };
  });
  await tx`
    delete from probe p
    using jsonb_populate_recordset(null::probe, ${json(rows)}) as c
    where p.app_ref = c.app_ref and p.kind = ${kind} and p.again_at <= ${now}
      and p.installation_ref = c.installation_ref and p.address_key = c.address_key`;
  await tx`
    insert into probe (app_ref, kind, installation_ref, holder_version, provider,
      credential_project, environment, topic, token_kind, token, web_push_p256dh, web_push_auth,
      vapid_key_id, address_key, available_at, expires_at, again_at)
    select c.app_ref, ${kind}, c.installation_ref, c.holder_version, c.provider,
      c.credential_project, c.environment, c.topic, c.token_kind, c.token, c.web_push_p256dh,
      c.web_push_auth, c.vapid_key_id, c.address_key, ${now},
      ${inMs(LIMITS.doubtProbeMs)}, ${inMs(LIMITS.doubtRestMs[kind])}
    from jsonb_populate_recordset(null::probe, ${json(rows)}) as c
    on conflict do nothing`;
}

/** Where else an APNs token may live; null for every other address. */
function inOtherEnvironment(row: AddressRow): Address | null {
  const held = toAddress(row);
  if (held?.provider !== 'apns') return null;
  return { ...held, environment: held.environment === 'sandbox' ? 'production' : 'sandbox' };
}

/** A probe that this worker holds. */
export interface LeasedProbe {
  readonly ref: number;
  /** UUID that all its attempts carry. */
  readonly id: string;
  readonly appRef: number;
  readonly kind: ProbeKind;
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly address: Address;
  readonly nonce: string | null;
  readonly expiresAt: Date;
  /** Fencing token, and which attempt this is. */
  readonly attempt: number;
  /** Null when no credential serves the address. */
  readonly credentialRef: number | null;
}

/**
 * Takes due probes that nobody holds, oldest first. Those whose question is answered, because the
 * installation has changed since or is in use again, are left to be forgotten.
 */
export async function leaseProbes(
  db: Queryable,
  limit: number,
  now: Date,
): Promise<readonly LeasedProbe[]> {
  const rows = await db<(AddressRow & Omit<LeasedProbe, 'address'>)[]>`
    with candidate as (
      select p.probe_ref from probe p join installation h using (installation_ref)
      where p.settled_at is null and p.available_at <= ${now} and p.expires_at > ${now}
        and p.attempt < ${LIMITS.probeAttempts}
        and (p.lease_until is null or p.lease_until < clock_timestamp())
        and h.holder_version = p.holder_version
        and (p.kind = 'challenge' or h.token_status = 'quarantined')
      order by p.available_at limit ${limit}
      for update of p skip locked
    ), leased as (
      update probe p set attempt = p.attempt + 1,
        lease_until = clock_timestamp() + make_interval(secs => ${LIMITS.probeLeaseMs / 1000})
      from candidate where p.probe_ref = candidate.probe_ref
      returning p.*
    )
    select i.*, i.probe_ref as ref, i.app_ref as "appRef", i.expires_at as "expiresAt",
      i.installation_ref as "installationRef", i.holder_version as "holderVersion",
      c.credential_ref as "credentialRef"
    from leased i left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true`;
  return rows.flatMap((row) => {
    const address = toAddress(row);
    return address === null ? [] : [{ ...row, address }];
  });
}

/** Gives a probe back for another attempt, if it has one left and has not expired by then. */
export async function postponeProbe(
  db: Queryable,
  probe: LeasedProbe,
  availableAt: Date,
): Promise<void> {
  await db`
    update probe set lease_until = null, available_at = ${availableAt}
    where probe_ref = ${probe.ref} and attempt = ${probe.attempt} and settled_at is null`;
}

/** Ends a probe; false when another worker has taken it over. */
export async function closeProbe(tx: Transaction, probe: LeasedProbe, now: Date): Promise<boolean> {
  const rows = await tx`
    update probe set settled_at = ${now}, lease_until = null
    where probe_ref = ${probe.ref} and attempt = ${probe.attempt} and settled_at is null
    returning 1`;
  return rows.length > 0;
}
