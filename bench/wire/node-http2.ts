import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { keepInFlight } from './in-flight.ts';
import type { Sender, SenderTarget } from './sender.ts';
import { WIRE_AUTHORIZATION, WIRE_BODY, wireHeaders, wirePush } from './wire-push.ts';

/** Node's own client as its documentation shows it, on one connection. */
export async function openNodeHttp2(target: SenderTarget): Promise<Sender> {
  const { url, authorityPem, path, streams } = target;
  const session = connect(url, { ca: authorityPem, settings: { enablePush: false } });
  // Before that it would take the stream limit for a hundred.
  await once(session, 'remoteSettings');
  let number = 0;
  const send = (): Promise<void> => {
    number += 1;
    return post(session, path, number);
  };
  return { run: (count) => keepInFlight(count, streams, send) };
}

function post(session: ClientHttp2Session, path: string, number: number): Promise<void> {
  const push = wirePush(number);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = session.request({
    ':method': 'POST',
    ':path': path + push.token,
    authorization: WIRE_AUTHORIZATION,
    ...wireHeaders(push),
  });
  let status = 0;
  stream.once('response', (headers) => (status = headers[':status'] ?? 0));
  stream.once('end', () =>
    status === 200 ? resolve() : reject(new Error(`it was answered with ${status}`)),
  );
  stream.once('error', reject);
  stream.resume();
  stream.end(WIRE_BODY);
  return promise;
}
