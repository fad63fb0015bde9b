import { Http2Pool, RequestShape } from '@homing/h2';
import { keepInFlight } from './in-flight.ts';
import type { Sender, SenderTarget } from './sender.ts';
import { WIRE_AUTHORIZATION, WIRE_BODY, WIRE_CONSTANTS, wirePush } from './wire-push.ts';

const HOUR_MS = 3_600_000;

/** As the provider for APNs splits the fields of a push. */
const VARYING = ['apns-id', 'apns-expiration', 'apns-collapse-id'];
const SHAPE = new RequestShape({ constants: WIRE_CONSTANTS, varying: VARYING });

/** Ours, on one connection as all the others. */
export async function openHomingPool(target: SenderTarget): Promise<Sender> {
  const { url, path, streams } = target;
  const pool = new Http2Pool({
    origin: url,
    ca: target.authorityPem,
    authorization: () => WIRE_AUTHORIZATION,
    maxConnections: 1,
    maxStreams: streams,
    maxBodyBytes: 65_536,
    maxTimeouts: 8,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: 60_000,
    pingAfterMs: HOUR_MS,
    pingTimeoutMs: 10_000,
    maxIdlePings: 1,
    idleTimeoutMs: HOUR_MS,
    maxAgeMs: HOUR_MS,
  });
  const { signal } = new AbortController();
  let number = 0;
  const send = async (): Promise<void> => {
    number += 1;
    const { token, id, expiration } = wirePush(number);
    const values = [id, expiration, id];
    const request = { shape: SHAPE, path: path + token, values, body: WIRE_BODY };
    const startBefore = performance.now() + 60_000;
    const result = await pool.request(request, { startBefore, signal });
    if (result.kind === 'answer' && result.status === 200) return;
    throw new Error(`it came back as ${JSON.stringify(result)}`);
  };
  return { run: (count) => keepInFlight(count, streams, send) };
}
