import { addressKey } from '../domain/address-key.ts';
import type { Address, ApnsEnvironment } from '../domain/address.ts';
import { LIMITS } from '../domain/limits.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { addressColumns, toAddress, type AddressRow } from './installation-row.ts';
import { columns, type Queryable, type Transaction } from './sql.ts';

/**
 * - `environment`: does the token live in this other environment?
 * - `challenge`: whoever gets the nonce through the token can echo it; see `challenges.ts`.
 */
export type ProbeKind = 'environment' | 'challenge';

interface EnvironmentProbe {
  readonly appRef: number;
  readonly installationRef: number;
  /** The environment is only put right while it is still this one. */
  readonly holderVersion: number;
  /** With the other environment, not the installation's own address. */
  readonly address: Address;
}

/**
 * Asks for each of these quarantined installations whether its token lives in APNs' other
 * environment, where a credential of the app serves that one.
 */
export async function insertEnvironmentProbes(
  tx: Transaction,
  installationRefs: readonly number[],
  now: Date,
): Promise<void> {
  if (installationRefs.length === 0) return;
  const rows = await tx<(AddressRow & Omit<EnvironmentProbe, 'address'>)[]>`
    select i.*, i.app_ref as "appRef", i.installation_ref as "installationRef",
      i.holder_version as "holderVersion"
    from (
      select *, case environment when 'sandbox' then 'production' else 'sandbox' end as other
      from installation
    ) i
    where i.installation_ref = any(${[...installationRefs]}) and i.provider = 'apns'
      and exists (
        select 1 from credential k
        where k.app_ref = i.app_ref and k.provider = 'apns' and k.retired_at is null
          and i.other = any(k.environments) and i.topic = any(k.topics))`;
  for (const row of rows) {
    const held = toAddress(row);
    if (held?.provider !== 'apns') continue;
    const environment: ApnsEnvironment = held.environment === 'sandbox' ? 'production' : 'sandbox';
    const address = { ...held, environment };
    await insertProbe(tx, { ...row, address }, now);
  }
}

/**
 * Has the dispatcher send a silent push to an address, in the transaction of what asks for it,
 * unless the same was asked within a day.
 */
async function insertProbe(tx: Transaction, probe: EnvironmentProbe, now: Date): Promise<void> {
  const { address } = probe;
  const inMs = (ms: number): Date => new Date(now.getTime() + ms);
  const row = {
    app_ref: probe.appRef,
    kind: 'environment',
    installation_ref: probe.installationRef,
    holder_version: probe.holderVersion,
    ...addressColumns(address),
    address_key: addressKey(address),
    available_at: now,
    expires_at: inMs(LIMITS.environmentProbeMs),
    again_at: inMs(LIMITS.environmentProbeRestMs),
  };
  await tx`
    delete from probe
    where app_ref = ${row.app_ref} and kind = 'environment' and again_at <= ${now}
      and installation_ref = ${row.installation_ref} and address_key = ${row.address_key}`;
  await tx`insert into probe ${columns(tx, row)} on conflict do nothing`;
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
