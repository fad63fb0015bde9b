import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import {
  createCertificateAuthority,
  createServiceAccount,
  startFcmSimulator,
} from '../src/index.ts';
import type { FcmSimulator, FcmSimulatorOptions } from '../src/index.ts';
import { postOverHttp1 } from './http1-client.ts';
import { Http2Client, jsonOf } from './http2-client.ts';
import type { Reply } from './http2-client.ts';

export const PROJECT = 'parcels-4711';
export const authority = await createCertificateAuthority();
const serverIdentity = await authority.issue(['127.0.0.1']);
const account = await createServiceAccount(PROJECT, 'https://127.0.0.1/token');
const SEND_PATH = `/v1/projects/${PROJECT}/messages:send`;

/** A simulator with one project and the shared account; every test has its own. */
export function startFcm(options: Partial<FcmSimulatorOptions> = {}): Promise<FcmSimulator> {
  return startFcmSimulator({
    tls: serverIdentity,
    projects: [{ projectId: PROJECT, projectNumber: '123456789', serviceAccounts: [account] }],
    ...options,
  });
}

export function connectTo(simulator: FcmSimulator): Promise<Http2Client> {
  return Http2Client.open(simulator.url, { ca: authority.certificatePem });
}

export interface AssertionDraft {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly privateKeyPem?: string;
}

/** An assertion for the token endpoint: right in all respects but those that are overridden. */
export function assertion(simulator: FcmSimulator, draft: AssertionDraft = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  const signed = [
    { alg: 'RS256', typ: 'JWT', kid: account.privateKeyId, ...draft.header },
    {
      iss: account.clientEmail,
      scope: 'https://www.googleapis.com/auth/firebase.messaging',
      aud: simulator.tokenUrl,
      iat,
      exp: iat + 3600,
      ...draft.claims,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const privateKey = createPrivateKey(draft.privateKeyPem ?? account.json.private_key);
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

export function requestToken(client: Http2Client, form: Record<string, string>): Promise<Reply> {
  return client.send(
    {
      ':method': 'POST',
      ':path': '/token',
      'content-type': 'application/x-www-form-urlencoded',
    },
    new URLSearchParams(form).toString(),
  );
}

export function grantForm(text: string): Record<string, string> {
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: text };
}

export async function accessToken(simulator: FcmSimulator, client: Http2Client): Promise<string> {
  const reply = await requestToken(client, grantForm(assertion(simulator)));
  const { access_token: token } = jsonOf(reply);
  assert(typeof token === 'string', reply.text);
  return token;
}

export function registrationToken(prefix = ''): string {
  const random = crypto.randomUUID().replaceAll('-', '');
  return `${prefix}${random}:APA91b${random}`;
}

export function send(
  client: Http2Client,
  bearer: string | null,
  body: unknown,
  path: string = SEND_PATH,
): Promise<Reply> {
  const authorization = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return client.send(
    { ':method': 'POST', ':path': path, 'content-type': 'application/json', ...authorization },
    text,
  );
}

/** A simulator with a client that is connected and has an access token. */
export async function startSender(options: Partial<FcmSimulatorOptions> = {}) {
  const simulator = await startFcm(options);
  const client = await connectTo(simulator);
  const bearer = await accessToken(simulator, client);
  return {
    simulator,
    client,
    bearer,
    send: (body: unknown, path?: string) => send(client, bearer, body, path),
    sendTo: (token: string, more: Readonly<Record<string, unknown>> = {}) =>
      send(client, bearer, { message: { token, ...more } }),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

/** Sends a request over HTTP/1.1 on a connection of its own. */
export function sendOverHttp1(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Reply> {
  return postOverHttp1(url, authority.certificatePem, headers, body);
}

export const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
export const INVALID_ARGUMENT = { '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' };
export const INSTALLATION_ID = 'c0123456789abcdefghijk';

export function violation(field: string, description: string) {
  const fieldViolations = [{ field, description }];
  return { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations };
}

/** What a refusal holds under `error`. */
export function errorOf(reply: Reply): unknown {
  return jsonOf(reply).error;
}
