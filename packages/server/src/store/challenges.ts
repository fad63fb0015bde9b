import type { Challenge, OpenChallenge } from '../domain/challenge.ts';
import { addressColumns } from './installation-row.ts';
import { arrayText } from './array-text.ts';
import { bytea, flight, json, type Queryable, type Transaction } from './sql.ts';

/**
 * Has the dispatcher send challenges, in the transaction of what asks for them; each expires with
 * its nonce. Left out is one like which another one is still open: one a minute for each claimant,
 * token and state of its holder.
 *
 * The push shows nothing and names nobody. On APNs it is a background push of priority 5 whose
 * `homing.challenge` is the nonce; on FCM a data message of high priority with `homing_challenge`.
 */
export async function insertChallenges(
  tx: Transaction,
  appRef: number,
  challenges: readonly Challenge[],
): Promise<void> {
  if (challenges.length === 0) return;
  const rows = challenges.map((challenge) => ({
    installation_ref: challenge.holderRef,
    holder_version: challenge.holderVersion,
    claimant_id: challenge.claimantId,
    ...addressColumns(challenge.address),
    address_key: bytea(challenge.key),
    nonce: challenge.nonce,
    available_at: challenge.at,
    expires_at: challenge.expiresAt,
  }));
  await flight([
    tx`
      delete from probe p
      using jsonb_populate_recordset(null::probe, ${json(rows)}) as c
      where p.app_ref = ${appRef} and p.kind = 'challenge' and p.address_key = c.address_key
        and p.again_at <= c.available_at`.execute(),
    tx`
      insert into probe (app_ref, kind, installation_ref, holder_version, claimant_id, provider,
        credential_project, environment, topic, token_kind, token, web_push_p256dh, web_push_auth,
        vapid_key_id, address_key, nonce, available_at, expires_at, again_at)
      select ${appRef}, 'challenge', c.installation_ref, c.holder_version, c.claimant_id, c.provider,
        c.credential_project, c.environment, c.topic, c.token_kind, c.token, c.web_push_p256dh,
        c.web_push_auth, c.vapid_key_id, c.address_key, c.nonce, c.available_at, c.expires_at,
        c.expires_at
      from jsonb_populate_recordset(null::probe, ${json(rows)}) as c
      on conflict do nothing`.execute(),
  ]);
}

/** The challenges that are open for some addresses, by their keys in hex. */
export async function findOpenChallenges(
  db: Queryable,
  appRef: number,
  addressKeys: readonly Buffer[],
  now: Date,
): Promise<ReadonlyMap<string, readonly OpenChallenge[]>> {
  if (addressKeys.length === 0) return new Map();
  const rows = await db<(OpenChallenge & { readonly key: Buffer })[]>`
    select address_key as key, claimant_id as "claimantId", holder_version as "holderVersion",
      expires_at as "expiresAt"
    from probe
    where app_ref = ${appRef} and kind = 'challenge' and again_at > ${now}
      and address_key = any(${arrayText(addressKeys)}::text::bytea[])
    order by expires_at`.execute();
  return Map.groupBy(rows, ({ key }) => key.toString('hex'));
}
