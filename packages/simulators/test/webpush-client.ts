import { request as httpsRequest } from 'node:https';
import {
  createCertificateAuthority,
  createUserAgent,
  startWebPushSimulator,
} from '../src/index.ts';
import type {
  PersonalityName,
  PushSubscriptionJson,
  WebPushSimulator,
  WebPushSimulatorOptions,
} from '../src/index.ts';
import { Http2Client } from './http2-client.ts';
import type { Reply } from './http2-client.ts';
import { createSender, seal } from './webpush-sender.ts';

const authority = await createCertificateAuthority();
const serverIdentity = await authority.issue(['127.0.0.1', 'localhost']);

export const PERSONALITIES = ['google', 'mozilla', 'apple', 'wns'] as const;

/** A simulator of one service; every test has its own. */
export function startWebPush(
  personality: PersonalityName,
  options: Partial<WebPushSimulatorOptions> = {},
): Promise<WebPushSimulator> {
  return startWebPushSimulator({ tls: serverIdentity, personality, ...options });
}

export function connectOverHttp2(simulator: WebPushSimulator): Promise<Http2Client> {
  return Http2Client.open(simulator.url, { ca: authority.certificatePem });
}

export type Headers = Readonly<Record<string, string | undefined>>;

/** Sends a request over HTTP/1.1; a header that is undefined is left out. */
export function request(
  simulator: WebPushSimulator,
  method: string,
  path: string,
  { headers = {}, body = '' }: { readonly headers?: Headers; readonly body?: string | Buffer } = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const { hostname, port } = new URL(simulator.url);
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const options = {
    ca: authority.certificatePem,
    agent: false,
    hostname,
    port,
    method,
    path,
    headers: Object.fromEntries(given) as Record<string, string>,
  };
  const outgoing = httpsRequest(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, headers: { ...response.headers }, text });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** Path and query of an endpoint, byte for byte, which URL does not promise. */
export function pathOf({ origin }: WebPushSimulator, endpoint: string): string {
  return endpoint.slice(origin.length);
}

export interface PushDraft {
  readonly headers?: Headers;
  readonly body?: Buffer;
  readonly path?: string;
  readonly method?: string;
}

/** A simulator, a browser that has subscribed there, and an application server that may push. */
export async function startPair(
  personality: PersonalityName,
  options: Partial<WebPushSimulatorOptions> = {},
) {
  const simulator = await startWebPush(personality, options);
  const sender = createSender();
  const browser = createUserAgent();
  const nowMs = options.clock?.() ?? Date.now();
  const authorization = sender.authorization(simulator.origin, { nowMs });
  const subscribe = (sentinel?: string): PushSubscriptionJson =>
    browser.subscribe(simulator, sender.key, sentinel);
  const subscription = subscribe();
  /** A push that is right in all respects but those that are overridden. */
  const pushTo = (
    { endpoint, keys }: PushSubscriptionJson,
    text: string,
    draft: PushDraft = {},
  ): Promise<Reply> => {
    const body = draft.body ?? (text === '' ? Buffer.alloc(0) : seal({ keys }, text));
    const encoded = body.length === 0 ? {} : { 'content-encoding': 'aes128gcm' };
    const headers = { authorization, ttl: '60', ...encoded, ...draft.headers };
    const path = draft.path ?? pathOf(simulator, endpoint);
    return request(simulator, draft.method ?? 'POST', path, { headers, body });
  };
  return {
    simulator,
    sender,
    browser,
    authorization,
    subscription,
    subscribe,
    pushTo,
    push: (text: string, draft?: PushDraft) => pushTo(subscription, text, draft),
    shown: () => simulator.devices.view(subscription.endpoint).shown.map(({ payload }) => payload),
    stored: () =>
      simulator.devices.view(subscription.endpoint).stored.map(({ payload }) => payload),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}
