import type { ErrorCode } from './problem.ts';

/** What the page of an error says. */
export interface ErrorHelp {
  /** What happened, for somebody who sees the error for the first time. */
  readonly meaning: string;
  /** What to do about it, beginning with the likeliest cause. */
  readonly remedy: string;
}

/**
 * The help for every error of the API; the served pages and `docs/errors.md` show it word for word.
 */
export const ERROR_HELP: Readonly<Record<ErrorCode, ErrorHelp>> = {
  invalid_request: {
    meaning:
      'The request could not be read: the body is not JSON or not UTF-8, names a key twice, is nested too deeply, or the HTTP request itself is malformed.',
    remedy:
      'Read `detail`, which says what was found. Build bodies with a JSON library instead of joining strings.',
  },
  invalid_credentials: {
    meaning:
      'The key is missing, mistyped, revoked or expired, a publishable key was used where a secret key is needed, or the installation secret does not belong to the installation id. An unknown installation id answers the same, so that ids cannot be probed; both have `credential: installation_secret` in the answer.',
    remedy:
      'Send `Authorization: Bearer <key>`. Clients also send `Homing-Installation-Secret` with the secret that they made when they enrolled; one that has lost it enrols under a new id.',
  },
  assertion_invalid: {
    meaning:
      'The proof that the user is signed in was refused: wrong signature, audience, installation or user, expired, used before, or issued before the user was signed out everywhere. Token and device of the same packet were stored.',
    remedy:
      'Read `detail`, ask your back end for a fresh assertion for this installation id, and send the packet again with a higher `seq`.',
  },
  scope_missing: {
    meaning: 'The secret key is valid, but was not made for this operation.',
    remedy: 'Use a key that has the scope that `detail` names, or make one.',
  },
  user_mismatch: {
    meaning:
      'The proof in the `Authorization` header speaks for another user than the body names, or than the one who is signed in on the device. Nobody was attached.',
    remedy:
      'Ask the back end for a proof for the user who is signed in now, and repeat with the token that the device registered last.',
  },
  origin_not_allowed: {
    meaning: 'A browser sent the request from a web origin that the app does not list.',
    remedy: "Add the origin that `detail` names to the app's allowed origins.",
  },
  not_found: {
    meaning:
      'There is no such route, or the app that the key belongs to has nothing under this id. What belongs to another app answers the same.',
    remedy:
      'Check path and id, and that the key is of the app and the environment, live or test, in which the object was made.',
  },
  method_not_allowed: {
    meaning: 'The path exists, but not with this method.',
    remedy: 'Look the operation up under `/docs`.',
  },
  already_created: {
    meaning:
      'A request with this idempotency key succeeded before. Its answer held a secret, which is not stored and cannot be shown again.',
    remedy:
      'Use what the first answer contained. If it was lost, create another one with a new key.',
  },
  idempotency_running: {
    meaning: 'Another request with the same idempotency key is being worked on at this moment.',
    remedy: 'Wait a moment and repeat with the same key to get the answer of the first request.',
  },
  too_many_keys: {
    meaning:
      'The app has two live identity keys already: one that signs, and one that takes over. Nothing was stored.',
    remedy:
      'Retire the key that no back end signs with any more (`DELETE /v1/app/identity-keys/{kid}`), and add the new one then.',
  },
  too_many_credentials: {
    meaning: 'The app has fifty credentials that are not retired. Nothing was stored.',
    remedy:
      'Retire those that nothing is sent with any more (`DELETE /v1/app/credentials/{credential_id}`).',
  },
  installation_forked: {
    meaning:
      'Two copies of one installation are alive, as after a backup was restored on a second phone: they send different content under the same `seq`, or tokens that take turns. Nothing of the packet was stored.',
    remedy: 'Make a new installation id and secret on this copy, and enrol with them.',
  },
  token_held: {
    meaning:
      'Another installation holds this push token. Nothing of the packet was stored. A late packet must not take a token away from whoever has it now.',
    remedy:
      'Repeat the packet within a minute with the `nonce` of this answer as `takeover`. Where the answer has `challenge` instead, the app is strict: the nonce comes as a silent push through the token, and with `waiting` the packet is repeated after `expires_at`. Client libraries do so by themselves.',
  },
  review_changed: {
    meaning:
      'The totals in the request are not those of the review, or the review was applied or superseded meanwhile. Nothing was done.',
    remedy:
      'Read `review`, which is the newest one. When it is open and you agree to it, repeat its totals for its id; `POST /v1/reviews` counts anew.',
  },
  installation_removed: {
    meaning: 'The installation was removed, and this id does not come back.',
    remedy: 'Make a new installation id and secret, and enrol with them.',
  },
  body_too_large: {
    meaning: 'The body is larger than this route takes.',
    remedy: 'Send less at once: split lists over several requests.',
  },
  unsupported_media_type: {
    meaning: 'The body came with a content type, or an encoding, that this route does not take.',
    remedy:
      'Send `Content-Type: application/json`, and JSON in the body; lists go to `POST /v1/audiences` as `application/x-ndjson`, with `Content-Encoding: gzip` where they are packed.',
  },
  validation_failed: {
    meaning:
      'The request could be read, but some fields are missing, unknown or hold what they cannot hold. Nothing was stored.',
    remedy:
      'Go through `errors`: each entry has a JSON pointer to the field and a sentence on what would be right.',
  },
  idempotency_mismatch: {
    meaning:
      'The idempotency key was used before, for a request with another body or to another route. Nothing was done.',
    remedy:
      'Use a new key for each new request, and an old one only to repeat the very same request.',
  },
  rate_limited: {
    meaning: 'Too many requests came in a short time from this installation or address.',
    remedy:
      'An installation may write 300 times at once and then 60 times a minute; an address may enrol 300 installations of an app at once and then 30 a minute. Wait for the seconds in `Retry-After`, and register when something has changed instead of in a loop. Logout and removal are never limited.',
  },
  internal_error: {
    meaning:
      'The server failed in a way that nobody expected. Whether something was stored is open.',
    remedy:
      'Repeat with the same idempotency key or `seq`, which is safe. If it stays, look for the request id in the log of the server and report the line.',
  },
  database_unavailable: {
    meaning:
      'The server runs, but cannot reach its PostgreSQL at the moment. If the connection broke just then, the change may have been made.',
    remedy:
      'Repeat after the seconds in `Retry-After`. Operators look at `/readyz` and at the state of the database.',
  },
  registry_busy: {
    meaning:
      'Somebody else holds the installation, or changed it after your request came: an erasure or a change of the account mode for example. Nothing was changed.',
    remedy:
      'Repeat after the seconds in `Retry-After`, a packet under its `seq`. If it stays, operators look for a transaction that does not end in `pg_stat_activity`.',
  },
  keys_unavailable: {
    meaning:
      'The keys that verify user assertions could not be fetched, so nobody can be signed in at the moment.',
    remedy:
      "Repeat after the seconds in `Retry-After`. Operators check that the app's key set can be reached from the server.",
  },
  draining: {
    meaning: 'This process is shutting down and takes no new work.',
    remedy: 'Repeat after the seconds in `Retry-After`; another process answers.',
  },
};
