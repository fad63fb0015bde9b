import type { KeyObject } from 'node:crypto';
import { keepSecret } from '../secret-text.ts';
import { SettingsReader } from '../settings-reader.ts';
import type { ParsedSettings } from '../settings-reader.ts';

/** What an Expo project needs to be told; nothing, unless it asks for an access token. */
export interface ExpoSettings {
  /** Of the account or robot that owns the project; needed where its enhanced security is on. */
  readonly accessToken: KeyObject | null;
  /** As Expo writes it, `@owner/slug`. Tokens of any other project are put aside then. */
  readonly project: string | null;
}

/** Where the Expo push service is. Operators set it to reach a simulator or a proxy. */
export interface ExpoEndpoints {
  readonly api: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | null;
}

/** From Expo's "Send notifications with the Expo Push Service". */
export const EXPO_ENDPOINTS: ExpoEndpoints = { api: 'https://exp.host', ca: null };

/** What fits a header field. */
const ACCESS_TOKEN = /^[\x21-\x7e]{1,512}$/;
const PROJECT = /^@[^\s/@]{1,128}\/[^\s/@]{1,128}$/;

/** Validates what an operator gave: `{accessToken?, project?}`. */
export function parseExpoSettings(input: unknown): ParsedSettings<ExpoSettings> {
  const reader = new SettingsReader(input);
  reader.allowOnly(['accessToken', 'project']);
  const given = (field: string, pattern: RegExp, expectation: string): string | null =>
    reader.raw(field) === undefined ? null : reader.string(field, pattern, expectation);
  const accessToken = given('accessToken', ACCESS_TOKEN, 'an access token of Expo');
  const project = given('project', PROJECT, 'the full name of the project, as in @owner/slug');
  if (reader.problems.length > 0) return { kind: 'problems', problems: reader.problems };
  const kept = accessToken === null ? null : keepSecret(accessToken);
  return { kind: 'settings', settings: { accessToken: kept, project } };
}
