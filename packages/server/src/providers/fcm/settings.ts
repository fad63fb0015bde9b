import type { KeyObject } from 'node:crypto';
import { readAccountKey } from '../account-key.ts';
import { SettingsReader } from '../settings-reader.ts';
import type { ParsedSettings } from '../settings-reader.ts';

/** One service account of a Firebase project. */
export interface FcmSettings {
  readonly projectId: string;
  readonly clientEmail: string;
  readonly privateKeyId: string;
  readonly signingKey: KeyObject;
}

/** Where FCM and Google's token endpoint are. Operators set it to reach a simulator or a proxy. */
export interface FcmEndpoints {
  readonly api: string;
  readonly token: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | null;
}

/** From Firebase's "Send a message using FCM HTTP v1 API" and Google's "Using OAuth 2.0". */
export const FCM_ENDPOINTS: FcmEndpoints = {
  api: 'https://fcm.googleapis.com',
  token: 'https://oauth2.googleapis.com/token',
  ca: null,
};

const PROJECT_ID = /^[a-z][a-z0-9.:-]{4,60}$/;

/**
 * Validates what an operator gave: `{serviceAccount, projectId?}`, where `serviceAccount` is the
 * content of the JSON key file that Google issues. Fields of that file that Homing does not need
 * are Google's business and ignored.
 *
 * The file's `token_uri` must be Google's. It says where the signed assertion goes, so a forged
 * file could have this server call any address; another endpoint is for the operator's
 * configuration alone.
 */
export function parseFcmSettings(
  input: unknown,
  endpoints: FcmEndpoints = FCM_ENDPOINTS,
): ParsedSettings<FcmSettings> {
  const reader = new SettingsReader(input);
  reader.allowOnly(['serviceAccount', 'projectId']);
  const file = reader.object('serviceAccount');
  file.string('type', /^service_account$/, 'service_account');
  const ownProject = file.string('project_id', PROJECT_ID, 'a project id');
  const privateKeyId = file.string('private_key_id', /^[\x21-\x7e]+$/, 'the id of the key');
  const clientEmail = file.string('client_email', /^[^\s@]+@[^\s@]+$/, 'an e-mail address');
  const signingKey = readAccountKey(file);
  const tokenUri = file.raw('token_uri');
  if (tokenUri !== undefined && tokenUri !== endpoints.token) {
    file.problem('token_uri', `must be ${endpoints.token}`);
  }
  const projectId =
    reader.raw('projectId') === undefined
      ? ownProject
      : reader.string('projectId', PROJECT_ID, 'a project id');
  if (signingKey === null || reader.problems.length > 0) {
    return { kind: 'problems', problems: reader.problems };
  }
  return { kind: 'settings', settings: { projectId, clientEmail, privateKeyId, signingKey } };
}
