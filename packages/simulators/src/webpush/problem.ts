/**
 * Everything that a Web Push service can find wrong with a request, in the terms of RFC 8030, 8188,
 * 8291 and 8292. Each service has its own words, and often its own status, for it.
 */
export const WEB_PUSH_PROBLEMS = [
  'bad_path',
  'bad_method',
  'endpoint_altered',
  'authorization_missing',
  'authorization_scheme',
  'token_missing',
  'key_missing',
  'key_malformed',
  'token_malformed',
  'signature_invalid',
  'audience_invalid',
  'expiry_invalid',
  'expiry_too_long',
  'subject_invalid',
  'ttl_missing',
  'ttl_invalid',
  'ttl_negative',
  'urgency_invalid',
  'topic_invalid',
  'encoding_missing',
  'encoding_unknown',
  'body_malformed',
  'too_large',
  'cache_policy_conflict',
  'unknown_subscription',
  'key_mismatch',
  'gone',
  'throttled',
  'internal',
  'unavailable',
] as const;

export type WebPushProblem = (typeof WEB_PUSH_PROBLEMS)[number];

/** Whether a fault's reason names a problem, which every service can put into its own words. */
export function isWebPushProblem(reason: string): reason is WebPushProblem {
  return WEB_PUSH_PROBLEMS.some((problem) => problem === reason);
}
