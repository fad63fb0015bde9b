/**
 * The newest living credential that serves the address of the installation `i`: by environment and
 * topic for APNs, by project for FCM, by the kind of token for HMS, by the public key that the
 * browser subscribed with for Web Push. A fragment for `left join lateral`, so that expansion, gate
 * and retries can never disagree on the lane of an installation.
 */
export const CREDENTIAL_OF_ADDRESS = `
  select k.credential_ref from credential k
  where k.app_ref = i.app_ref and k.provider = i.provider and k.retired_at is null
    and (k.provider <> 'apns'
      or (i.environment = any(k.environments) and i.topic = any(k.topics)))
    and (k.provider <> 'fcm' or k.project = i.credential_project)
    and (k.provider <> 'hms' or i.token_kind = any(k.topics))
    and (k.provider <> 'webpush' or k.project = i.vapid_key_id)
  order by k.credential_ref desc limit 1`;
