import { addressKey } from '../domain/address-key.ts';
import type { Address, ApnsEnvironment } from '../domain/address.ts';
import { LIMITS } from '../domain/limits.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { addressColumns, toAddress, type AddressRow } from './installation-row.ts';
import { columns, type Queryable, type Transaction } from './sql.ts';

/** What a probe is for. */
export type ProbePurpose =
  /** Does the token live in this other environment? */
  | { readonly kind: 'environment' }
  /** Whoever gets this nonce through the token can echo it, which proves that it is theirs. */
  | { readonly kind: 'challenge'; readonly nonce: string };

export interface NewProbe {
  readonly appRef: number;
  readonly purpose: ProbePurpose;
  /** Whose token is in question, or who claims it. */
  readonly installationRef: number;
  /** Of that installation. An environment is only put right while it is still this one. */
  readonly holderVersion: number;
  /** Where the probe goes, which need not be the installation's own address. */
  readonly address: Address;
}

/**
 * Has the dispatcher send a silent push to an address, in the transaction of what asks for it. It
 * goes out at the next turn of a worker, which an announcement of work makes now. A challenge
 * expires with its nonce. False when the same question was asked lately: one challenge a minute and
 * one question for the environment a day, for each installation and address.
 *
 * The push shows nothing and names nobody. On APNs it is a background push of priority 5 whose
 * `homing.challenge` is the nonce; on FCM a data message of high priority with `homing_challenge`.
 */
export async function insertProbe(tx: Transaction, probe: NewProbe, now: Date): Promise<boolean> {
  const { purpose, address } = probe;
  const isChallenge = purpose.kind === 'challenge';
  const inMs = (ms: number): Date => new Date(now.getTime() + ms);
  const row = {
    app_ref: probe.appRef,
    kind: purpose.kind,
    installation_ref: probe.installationRef,
    holder_version: probe.holderVersion,
    ...addressColumns(address),
    address_key: addressKey(address),
    nonce: isChallenge ? purpose.nonce : null,
    available_at: now,
    expires_at: inMs(isChallenge ? LIMITS.takeoverNonceMs : LIMITS.environmentProbeMs),
    again_at: inMs(isChallenge ? LIMITS.takeoverNonceMs : LIMITS.environmentProbeRestMs),
  };
  await tx`
    delete from probe
    where app_ref = ${row.app_ref} and kind = ${row.kind} and again_at <= ${now}
      and installation_ref = ${row.installation_ref} and address_key = ${row.address_key}`;
  const rows = await tx`
    insert into probe ${columns(tx, row)}
    on conflict do nothing returning 1`;
  return rows.length > 0;
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
  const rows = await tx<(AddressRow & Omit<NewProbe, 'purpose' | 'address'>)[]>`
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
    await insertProbe(tx, { ...row, purpose: { kind: 'environment' }, address }, now);
  }
}

/** A probe that this worker holds. */
export interface LeasedProbe {
  readonly ref: number;
  /** UUID that all its attempts carry. */
  readonly id: string;
  readonly appRef: number;
  readonly kind: ProbePurpose['kind'];
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
        and (p.kind = 'challenge'
          or (h.holder_version = p.holder_version and h.token_status = 'quarantined'))
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
