import type { Database } from '../packages/server/src/store/sql.ts';
import { parseTypedId } from '../packages/server/src/domain/typed-id.ts';
import { PROJECT } from './network.ts';

export interface AnonymousCrowdOptions {
  readonly count: number;
  /** Every so many has a token; 1 for all. */
  readonly tokenEvery: number;
  /** Makes the tokens of several crowds differ. */
  readonly name: string;
  /** The Firebase project of the tokens; default: that of the networks. */
  readonly project?: string;
}

/**
 * Anonymous installations of an app, written into its registry directly: more than could enrol one
 * by one within a test. Those with a token have an FCM token that begins with the crowd's name.
 */
export async function gatherCrowd(
  db: Database,
  appId: string,
  { count, tokenEvery, name, project = PROJECT }: AnonymousCrowdOptions,
): Promise<void> {
  await db`
    with numbered as (
      select number, case when number % ${tokenEvery}::int = 0
        then ${`${name}-`}::text || lpad(number::text, 12, '0') || ':APA91b' || repeat('x', 120)
        end as token
      from generate_series(0, ${count - 1}::int) as number
    )
    insert into installation (app_ref, id, provider, credential_project, token, address_key,
      token_status, token_confirmed_at, token_changed_at, platform)
    select a.app_ref, gen_random_uuid(),
      case when token is not null then 'fcm' end,
      case when token is not null then ${project}::text else '' end, token,
      sha256(convert_to(token, 'UTF8')),
      case when token is not null then 'live' end,
      now(), now(), 'android'
    from numbered cross join app a where a.id = ${parseTypedId('app', appId)}
    order by number`;
}
