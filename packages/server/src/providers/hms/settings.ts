import type { KeyObject } from 'node:crypto';
import { HMS_KINDS, type HmsKind } from '../../domain/address.ts';
import { readAccountKey } from '../account-key.ts';
import { keepSecret } from '../secret-text.ts';
import { SettingsReader } from '../settings-reader.ts';
import type { ParsedSettings } from '../settings-reader.ts';

/** What both forms of a credential say. */
interface Reach {
  /** The kinds of tokens that it serves. */
  readonly kinds: readonly HmsKind[];
  /** Whether Huawei has granted the app data messages of high priority. */
  readonly highPriority: boolean;
}

/** The OAuth client of one app, which serves the tokens of Android and EMUI. */
export interface HmsClient extends Reach {
  readonly kind: 'client';
  readonly appId: string;
  readonly clientId: string;
  readonly clientSecret: KeyObject;
  /** With a project, pushes go to the second version of the API instead of the first. */
  readonly projectId: string | null;
}

/** The service account of one project: its signature is the access token. */
export interface HmsServiceAccount extends Reach {
  readonly kind: 'service_account';
  readonly projectId: string;
  readonly keyId: string;
  readonly subAccount: string;
  readonly signingKey: KeyObject;
}

export type HmsSettings = HmsClient | HmsServiceAccount;

/** Where Push Kit and Huawei's token endpoint are; others reach a simulator or a proxy. */
export interface HmsEndpoints {
  readonly api: string;
  readonly token: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | null;
}

/** From Huawei's "Sending messages" and "Open platform authentication". */
export const HMS_ENDPOINTS: HmsEndpoints = {
  api: 'https://push-api.cloud.huawei.com',
  token: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
  ca: null,
};

const IDENTIFIER = /^[A-Za-z0-9_.-]{1,64}$/;
const PRINTABLE = /^[\x21-\x7e]{1,512}$/;

/**
 * Validates what an operator gave: `{appId, clientId?, clientSecret, projectId?}`, or
 * `{serviceAccount, kinds?}` with the content of the key file that AppGallery Connect issues;
 * either with `highPriority?`. Fields of the key file that Homing does not need are Huawei's
 * business and ignored.
 */
export function parseHmsSettings(input: unknown): ParsedSettings<HmsSettings> {
  const reader = new SettingsReader(input);
  const settings =
    reader.raw('serviceAccount') === undefined ? readClient(reader) : readServiceAccount(reader);
  if (settings === null || reader.problems.length > 0) {
    return { kind: 'problems', problems: reader.problems };
  }
  return { kind: 'settings', settings };
}

function readClient(reader: SettingsReader): HmsClient {
  reader.allowOnly(['appId', 'clientId', 'clientSecret', 'projectId', 'highPriority']);
  const appId = reader.string('appId', IDENTIFIER, 'the id of the app');
  const isGiven = (field: string): boolean => reader.raw(field) !== undefined;
  return {
    kind: 'client',
    appId,
    clientId: isGiven('clientId')
      ? reader.string('clientId', IDENTIFIER, 'the id of the OAuth client')
      : appId,
    clientSecret: keepSecret(
      reader.string('clientSecret', PRINTABLE, 'the secret of the OAuth client'),
    ),
    projectId: isGiven('projectId')
      ? reader.string('projectId', IDENTIFIER, 'the id of the project')
      : null,
    kinds: ['android'],
    highPriority: readHighPriority(reader),
  };
}

function readServiceAccount(reader: SettingsReader): HmsServiceAccount | null {
  reader.allowOnly(['serviceAccount', 'kinds', 'highPriority']);
  const file = reader.object('serviceAccount');
  const projectId = file.string('project_id', IDENTIFIER, 'a project id');
  const keyId = file.string('key_id', PRINTABLE, 'the id of the key');
  const subAccount = file.string('sub_account', PRINTABLE, 'the id of the account');
  const signingKey = readAccountKey(file);
  // The signature is made out to this address, so a file that names another is no key file.
  const tokenUri = file.raw('token_uri');
  if (tokenUri !== undefined && tokenUri !== HMS_ENDPOINTS.token) {
    file.problem('token_uri', `must be ${HMS_ENDPOINTS.token}`);
  }
  const kinds = readKinds(reader);
  const highPriority = readHighPriority(reader);
  if (signingKey === null) return null;
  return { kind: 'service_account', projectId, keyId, subAccount, signingKey, kinds, highPriority };
}

function readKinds(reader: SettingsReader): readonly HmsKind[] {
  const given = reader.raw('kinds');
  if (given === undefined) return ['harmony'];
  const kinds = HMS_KINDS.filter((kind) => Array.isArray(given) && given.includes(kind));
  if (kinds.length > 0 && Array.isArray(given) && given.length === kinds.length) return kinds;
  reader.problem('kinds', `must be a list of ${HMS_KINDS.join(', ')}, each once at most`);
  return [];
}

function readHighPriority(reader: SettingsReader): boolean {
  const given = reader.raw('highPriority') ?? false;
  if (typeof given === 'boolean') return given;
  reader.problem('highPriority', 'must be true or false');
  return false;
}
