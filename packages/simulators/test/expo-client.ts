import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createCertificateAuthority, startExpoSimulator } from '../src/index.ts';
import type { ExpoSimulator, ExpoSimulatorOptions } from '../src/index.ts';

export const PROJECT = '@parcels/app';
export const authority = await createCertificateAuthority();
const serverIdentity = await authority.issue(['127.0.0.1']);
const BASE = '/--/api/v2/push';

/** A simulator of one project; every test has its own. */
export function startExpo(options: Partial<ExpoSimulatorOptions> = {}): Promise<ExpoSimulator> {
  return startExpoSimulator({ tls: serverIdentity, project: PROJECT, ...options });
}

export interface ExpoReply {
  readonly status: number;
  readonly encoding: string | null;
  readonly text: string;
}

export interface ExpoCall {
  readonly path?: '/send' | '/getReceipts' | '/other';
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly packed?: boolean;
}

/** One request over HTTP/1.1, its answer unpacked. Rejects when the connection ends without one. */
export function call(
  simulator: ExpoSimulator,
  { path = '/send', body, headers = {}, packed = false }: ExpoCall,
): Promise<ExpoReply> {
  const { promise, resolve, reject } = Promise.withResolvers<ExpoReply>();
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  const sent = httpsRequest(
    simulator.url + BASE + path,
    {
      method: 'POST',
      ca: authority.certificatePem,
      agent: false,
      headers: {
        'content-type': 'application/json',
        ...(packed ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const bytes = Buffer.concat(chunks);
        const encoding = response.headers['content-encoding'] ?? null;
        const text = (encoding === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
        resolve({ status: response.statusCode ?? 0, encoding, text });
      });
    },
  );
  sent.once('error', reject);
  sent.end(packed ? gzipSync(json) : json);
  return promise;
}

/** A ticket or a receipt, in the shape that all of them have. */
export interface Item {
  readonly status: string;
  readonly id?: string;
  readonly message?: string;
  readonly details?: { readonly error: string; readonly expoPushToken?: string };
}

/** The `data` of an answer that has to be 200. */
export function dataOf({ status, text }: ExpoReply): unknown {
  assert.equal(status, 200, text);
  return (JSON.parse(text) as { readonly data: unknown }).data;
}

/** The tickets of some messages. */
export async function send(simulator: ExpoSimulator, body: unknown): Promise<readonly Item[]> {
  return dataOf(await call(simulator, { body })) as readonly Item[];
}

export async function receipts(
  simulator: ExpoSimulator,
  ids: readonly string[],
): Promise<Readonly<Record<string, Item>>> {
  const reply = await call(simulator, { path: '/getReceipts', body: { ids } });
  return dataOf(reply) as Readonly<Record<string, Item>>;
}

/** The status of a refused request, its code and its details. */
export async function refusalOf(
  simulator: ExpoSimulator,
  request: ExpoCall,
): Promise<{ readonly status: number; readonly code: string; readonly details: unknown }> {
  const { status, text } = await call(simulator, request);
  const { errors } = JSON.parse(text) as {
    readonly errors: readonly { readonly code: string; readonly details?: unknown }[];
  };
  return { status, code: errors[0]?.code ?? '', details: errors[0]?.details };
}

export function pushToken(name: string): string {
  return `ExponentPushToken[${name}]`;
}
