import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { REASONS as APNS_REASONS } from '../../src/providers/apns/reasons.ts';
import { REASONS as EXPO_REASONS } from '../../src/providers/expo/reasons.ts';
import { OAUTH_REASONS } from '../../src/providers/fcm/oauth-reasons.ts';
import { REASONS as FCM_REASONS } from '../../src/providers/fcm/reasons.ts';
import { OAUTH_REASONS as HMS_OAUTH_REASONS } from '../../src/providers/hms/oauth-reasons.ts';
import { REASONS as HMS_REASONS } from '../../src/providers/hms/reasons.ts';
import { WITHOUT_ANSWER } from '../../src/providers/no-answer.ts';
import type { Reason, ReasonTable } from '../../src/providers/reason.ts';
import { APPLE_REASONS } from '../../src/providers/webpush/apple-reasons.ts';
import { GOOGLE_REASONS } from '../../src/providers/webpush/google-reasons.ts';
import { MOZILLA_REASONS } from '../../src/providers/webpush/mozilla-reasons.ts';
import { REASONS as WEB_PUSH_REASONS } from '../../src/providers/webpush/reasons.ts';
import { WNS_REASONS } from '../../src/providers/webpush/wns-reasons.ts';

/**
 * One line of the catalogue that was compiled from the providers' documentation and from the field.
 */
interface CatalogueRow {
  readonly provider: string;
  readonly status: number | string | null;
  readonly code: string;
  readonly class: string;
}

const rows = JSON.parse(
  readFileSync(new URL('../data/provider-errors.json', import.meta.url), 'utf8'),
) as readonly CatalogueRow[];

/**
 * The catalogue's classes in our words. Its `unknown` speaks of answers that say nothing definite,
 * which is our `unclassified`; our `unknown` is a request without any answer.
 */
const KINDS: Readonly<Record<string, string>> = {
  'token-dead': 'token_dead',
  'token-mismatch': 'token_mismatch',
  payload: 'payload',
  throttled: 'throttled',
  transient: 'transient',
  auth: 'auth',
  unknown: 'unclassified',
};

function kindsByKey(table: ReasonTable): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(table).map(([key, { kind }]) => [key, kind]));
}

function catalogueOf(provider: string): Readonly<Record<string, string | undefined>> {
  const answered = rows.filter((row) => row.provider === provider && row.status !== null);
  return Object.fromEntries(answered.map((row) => [`${row.status} ${row.code}`, KINDS[row.class]]));
}

describe('the reasons of a provider', () => {
  for (const [provider, table] of [
    ['apns', APNS_REASONS],
    ['fcm', FCM_REASONS],
    ['google-oauth', OAUTH_REASONS],
    ['hms', HMS_REASONS],
    ['hms-oauth', HMS_OAUTH_REASONS],
    ['expo', EXPO_REASONS],
  ] as const) {
    it(`of ${provider} are the catalogue's, row by row and both ways`, () => {
      assert.deepEqual(kindsByKey(table), catalogueOf(provider));
    });
  }

  for (const [provider, table] of [
    ['webpush', WEB_PUSH_REASONS],
    ['webpush-fcm', GOOGLE_REASONS],
    ['webpush-mozilla', MOZILLA_REASONS],
    ['webpush-apple', APPLE_REASONS],
    ['webpush-wns', WNS_REASONS],
  ] as const) {
    it(`of ${provider} are the catalogue's, those without an answer among them`, () => {
      const unanswered = rows
        .filter((row) => row.provider === provider && row.status === null)
        .map((row) => [`- ${row.code}`, KINDS[row.class]] as const);
      const expected = { ...catalogueOf(provider), ...Object.fromEntries(unanswered) };
      assert.deepEqual(kindsByKey(table), expected);
    });

    it(`of ${provider} say what they mean and what to do`, () => {
      for (const [key, { meaning, fix }] of Object.entries<Reason>(table)) {
        assert.match(meaning, /^[A-Za-z][^.]+$/, key);
        assert.match(fix ?? '', /^[A-Z].+\.$/, key);
      }
    });
  }

  it('say the same as the catalogue about requests without an answer', () => {
    // The catalogue calls all four transient. Ours is finer: the first two were certainly not
    // processed, so they are sent again at once; the last two may have been accepted.
    const expected: Readonly<Record<string, string>> = {
      HTTP2_REFUSED_STREAM: 'not_started',
      GOAWAY: 'not_started',
      NETWORK_AFTER_SEND: 'unknown',
      TIMEOUT: 'unknown',
    };
    const unanswered = rows.filter(
      ({ provider, status }) => ['apns', 'fcm', 'expo'].includes(provider) && status === null,
    );
    assert.deepEqual(new Set(unanswered.map(({ code }) => code)), new Set(Object.keys(expected)));
    // A connection that cannot be made is no row there, because no request was made.
    const { connect_failed: connectFailed, ...others } = WITHOUT_ANSWER;
    assert.equal(connectFailed, 'transient');
    assert.deepEqual(others, expected);
  });
});
