import { request as httpsRequest } from 'node:https';
import type { Reply } from './http2-client.ts';

/** Posts over HTTP/1.1 on a connection of its own. */
export function postOverHttp1(
  url: string,
  ca: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const options = { method: 'POST', ca, headers, agent: false };
  const request = httpsRequest(url, options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, headers: { ...response.headers }, text });
    });
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}
