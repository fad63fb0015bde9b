import type { PurposeTarget } from '../domain/purpose.ts';
import type { Fragment, Queryable } from './sql.ts';

/**
 * The installation that a reference names, with the address that the notification `n` goes to in
 * the place of its own: that of the purpose, if the notification has one. The topic is the bundle
 * id, which is what credentials know; its suffix follows from the purpose. A fragment for
 * `lateral`, shared by expansion, gate and retries, so that they cannot disagree on who can be
 * reached.
 */
export function addressedInstallation(reference: string): string {
  return `
    select held.installation_ref, held.app_ref, held.platform, held.permission, held.preferences,
      held.locale, held.sdk_version, held.dormant_since, held.removed_at, held.web_push_p256dh,
      held.web_push_auth, held.vapid_key_id, held.token_changed_at,
      case when n.purpose is null then held.provider when own.token <> '' then own.provider end
        as provider,
      case when n.purpose is null then held.credential_project else '' end as credential_project,
      case when n.purpose is null then held.environment else coalesce(own.environment, '') end
        as environment,
      case when n.purpose is null then held.topic
        else regexp_replace(coalesce(own.topic, ''), '\\.(voip|push-type\\.liveactivity)$', '') end
        as topic,
      case when n.purpose is null then held.token_kind else 'token' end as token_kind,
      case when n.purpose is null then held.token else nullif(own.token, '') end as token,
      case when n.purpose is null then held.token_status else own.token_status end as token_status,
      case when n.purpose is null then held.holder_version else coalesce(own.holder_version, 0) end
        as holder_version,
      case when n.purpose is null then held.failures_in_a_row else 0 end as failures_in_a_row
    from installation held left join purpose_token own
      on own.installation_ref = held.installation_ref and own.purpose = n.purpose
        and own.activity_id = n.activity_id
    where held.installation_ref = ${reference} limit 1`;
}

/**
 * The same for a purpose that is known: where there is none, which is so with nearly all, it is the
 * plain row.
 */
export function installationFor(purpose: PurposeTarget | null, reference: string): string {
  return purpose === null
    ? `select * from installation where installation_ref = ${reference} limit 1`
    : addressedInstallation(reference);
}

/** Stands for the notification `n` where there is none yet. */
export function purposeOf(db: Queryable, purpose: PurposeTarget | null): Fragment {
  const { name, activityId } = purpose ?? { name: null, activityId: '' };
  return db`(select ${name}::text as purpose, ${activityId}::text as activity_id) n`;
}
