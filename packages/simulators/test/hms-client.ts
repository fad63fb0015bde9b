import assert from 'node:assert/strict';
import { constants, createPrivateKey, randomBytes, sign } from 'node:crypto';
import {
  createCertificateAuthority,
  createHmsApp,
  createHmsServiceAccount,
  HMS_TOKEN_PATH,
  startHmsSimulator,
} from '../src/index.ts';
import type { HmsSimulator, HmsSimulatorOptions } from '../src/index.ts';
import { postOverHttp1 } from './http1-client.ts';
import { jsonOf, type Reply } from './http2-client.ts';

const authority = await createCertificateAuthority();
const serverIdentity = await authority.issue(['127.0.0.1']);
const plainApp = createHmsApp();
export const account = await createHmsServiceAccount(plainApp.projectId);
export const app = { ...plainApp, serviceAccounts: [account] };

export const PATHS = {
  v1: `/v1/${app.appId}/messages:send`,
  v2: `/v2/${app.projectId}/messages:send`,
  v3: `/v3/${app.projectId}/messages:send`,
} as const;

export interface SignatureDraft {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly privateKeyPem?: string;
  readonly saltLength?: number;
}

/** The signature of the service account: right in all respects but those that are overridden. */
export function signature(draft: SignatureDraft = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  const signed = [
    { alg: 'PS256', typ: 'JWT', kid: account.keyId, ...draft.header },
    {
      iss: account.subAccount,
      aud: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
      iat,
      exp: iat + 3600,
      ...draft.claims,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = createPrivateKey(draft.privateKeyPem ?? account.json.private_key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const options = { key, padding, saltLength: draft.saltLength ?? 32 };
  return `${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`;
}

/** A push token, perhaps one that begins with a sentinel. */
export function pushToken(prefix = ''): string {
  return `${prefix}IQAAAACy${randomBytes(60).toString('base64url')}`;
}

/** A message for Android that is in order, with other fields laid over it. */
export function androidMessage(
  tokens: readonly string[],
  android: Readonly<Record<string, unknown>> = {},
): unknown {
  const notification = { title: 'Hello', body: 'x', click_action: { type: 3 } };
  return { message: { token: tokens, android: { notification, ...android } } };
}

/** The same for HarmonyOS NEXT. */
export function harmonyMessage(
  tokens: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): unknown {
  const notification = { category: 'IM', title: 'Hello', clickAction: { actionType: 0 } };
  return { target: { token: tokens }, payload: { notification }, ...more };
}

/** What the answer says beside its number. */
export function codeOf(reply: Reply): unknown {
  return reply.text.startsWith('{') ? jsonOf(reply).code : reply.status;
}

/** A simulator, what is needed to push to it, and an access token of the app's client. */
export async function startSender(options: Partial<HmsSimulatorOptions> = {}) {
  const simulator = await startHmsSimulator({ tls: serverIdentity, apps: [app], ...options });
  const reply = await requestToken(simulator);
  const { access_token: bearer } = jsonOf(reply);
  assert(typeof bearer === 'string', reply.text);
  return {
    simulator,
    bearer,
    send: (body: unknown, more: SendMore = {}) => send(simulator, bearer, body, more),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}

interface SendMore {
  readonly path?: string;
  /** Null sends no authorization at all. */
  readonly bearer?: string | null;
  readonly pushType?: string;
}

function send(
  simulator: HmsSimulator,
  ownBearer: string,
  body: unknown,
  { path = PATHS.v1, bearer = ownBearer, pushType }: SendMore,
): Promise<Reply> {
  const headers = {
    'content-type': 'application/json',
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    ...(pushType === undefined ? {} : { 'push-type': pushType }),
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return postOverHttp1(simulator.url + path, authority.certificatePem, headers, text);
}

/** Asks for an access token; right but for what is overridden. */
export function requestToken(
  { url }: HmsSimulator,
  form: Readonly<Record<string, string>> = {},
  contentType = 'application/x-www-form-urlencoded',
): Promise<Reply> {
  const { clientId: client_id, clientSecret: client_secret } = app;
  const fields = { grant_type: 'client_credentials', client_id, client_secret, ...form };
  const body = new URLSearchParams(fields).toString();
  const headers = { 'content-type': contentType };
  return postOverHttp1(url + HMS_TOKEN_PATH, authority.certificatePem, headers, body);
}
