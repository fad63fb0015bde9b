import type { Database } from '../../packages/server/src/store/sql.ts';
import type { BenchmarkOptions, BenchmarkSetting } from '../benchmark.ts';
import { apnsToken, deviceGroup, fcmToken, PROJECT, TOPIC } from './population.ts';

/** So many rows per statement: few enough to tell a waiting person that it goes on. */
const STEP_ROWS = 100_000;

/** Who waits for the rows, and may stop waiting. */
export type Watch = Pick<BenchmarkSetting<BenchmarkOptions>, 'say' | 'interruption'>;

/**
 * Fills the registry of an app with installations numbered from 0, their users, links and first
 * events. Set-based: a million rows take a minute or two.
 */
export async function populate(
  db: Database,
  appRef: number,
  rows: number,
  { say, interruption }: Watch,
): Promise<void> {
  await insertUsers(db, appRef, rows);
  // Without statistics the planner would look each user up by a scan of all.
  await db.unsafe('analyze app_user');
  for (let from = 0; from < rows; from += STEP_ROWS) {
    interruption.throwIfAborted();
    const to = Math.min(rows, from + STEP_ROWS);
    await insertInstallations(db, appRef, from, to);
    say(`${to} installations`);
  }
  // Nor who is given another token: autovacuum is too late where the rows are few.
  await db.unsafe('analyze installation');
  await insertEvents(db);
}

async function insertUsers(db: Database, appRef: number, rows: number): Promise<void> {
  await db`
    insert into app_user (app_ref, id)
    select ${appRef}::bigint, 'user-' || number
    from generate_series(0, (${rows - 1}::bigint) / 4) as number
  `;
}

/** What is hashed is the canonical text of each group (`http/canonical-json.ts`). */
async function insertInstallations(
  db: Database,
  appRef: number,
  from: number,
  to: number,
): Promise<void> {
  await db`
    with numbered as (
      select number, number % 5 = 4 as is_fcm, (number >> 1) % 2 = 0 as is_linked,
        'user-' || (number >> 2) as user_id, md5('vendor-' || number) as vendor_id,
        encode(sha256(convert_to('token-' || number || '-1', 'UTF8')), 'hex') as digits,
        sha256(convert_to('secret-' || number, 'UTF8')) as secret
      from generate_series(${from}::bigint, ${to - 1}::bigint) as number
    ), derived as (
      select *, md5('installation-' || number)::uuid as id,
        case when is_fcm then left(digits, 22) || ':APA91b' || digits || digits
          else '0a' || left(digits, 62) end as token,
        sha256(convert_to(rtrim(translate(encode(secret, 'base64'), '+/', '-_'), '='), 'UTF8'))
          as secret_hash
      from numbered
    ), made as (
    insert into installation (
      app_ref, id, secret_hash, provider, credential_project, environment, topic, token,
      address_key, token_status, token_confirmed_at, token_changed_at,
      token_seq, token_hash, user_seq, user_hash, device_seq, device_hash, permission, platform,
      model, os_version, app_version, sdk_version, locale, time_zone, vendor_id
    )
    select ${appRef}::bigint, id, secret_hash,
      case when is_fcm then 'fcm' else 'apns' end,
      case when is_fcm then ${PROJECT}::text else '' end,
      case when is_fcm then '' else 'production' end,
      case when is_fcm then '' else ${TOPIC}::text end,
      token,
      sha256(case when is_fcm then ${keyPrefix('fcm', PROJECT, '', 'token')}::bytea
        else ${keyPrefix('apns', '', 'production', TOPIC)}::bytea end
        || convert_to(token, 'UTF8')),
      'live', now(), now(),
      1, sha256(convert_to(replace(
        case when is_fcm then ${JSON.stringify(fcmToken('%'))}::text
        else ${JSON.stringify(apnsToken('%'))}::text end, '%', token), 'UTF8')),
      case when is_linked then 1 end,
      case when is_linked then sha256(convert_to('{"id":"' || user_id || '"}', 'UTF8')) end,
      1, sha256(convert_to(
        replace(${JSON.stringify(deviceGroup('%'))}::text, '%', vendor_id), 'UTF8')),
      'granted', 'ios', 'iPhone16,2', '18.1', '4.2.0', '1.0.0', 'de-DE', 'Europe/Berlin', vendor_id
    from derived
    returning installation_ref, id
    )
    insert into link (
      app_ref, installation_ref, user_ref, exclusive, started_at, rcpt, asserted_at
    )
    select ${appRef}::bigint, installation_ref, user_ref, true, now(),
      left(translate(encode(sha256(convert_to('rcpt', 'UTF8') || secret_hash
        || convert_to(user_id, 'UTF8')), 'base64'), '+/', '-_'), 22), now()
    from derived join made using (id)
      join app_user on app_user.app_ref = ${appRef}::bigint and app_user.id = user_id
    where is_linked
  `;
}

/** What stands before the token in the text that makes an address unique. */
function keyPrefix(...parts: readonly string[]): Buffer {
  return Buffer.from([...parts, ''].join('\u0000'));
}

/** New rows of a run go into indexes that are as full as those of a registry in use. */
async function insertEvents(db: Database): Promise<void> {
  await db`
    insert into event (at, app_ref, installation_ref, kind, source, seq)
    select created_at, app_ref, installation_ref, 'installation.created', 'sdk', 1
    from installation
  `;
}
