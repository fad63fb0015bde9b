import { Http2Pool } from '@homing/h2';
import type { FcmEndpoints } from './settings.ts';

const MAX_CONNECTIONS = 8;

/** What Google announces for a connection; what is beyond it would only stand in our own line. */
const ANNOUNCED_STREAMS = 100;

/** How many messages can be under way at once. */
export const IN_FLIGHT = MAX_CONNECTIONS * ANNOUNCED_STREAMS;

/**
 * Our ceiling; Google announces about 100 streams, and the connection keeps to what it announces.
 */
const MAX_STREAMS = 500;

/** An answer has a few hundred bytes; whoever sends more is not to fill our memory. */
const MAX_BODY_BYTES = 64 * 1024;

/** So many answers in a row that stay away, and the connection is replaced. */
const MAX_TIMEOUTS = 8;

const MINUTE_MS = 60_000;

/**
 * Google asks for at least 10 s of patience ("Best practices when sending FCM messages at scale").
 */
export const ANSWER_TIMEOUT_MS = 15_000;

export interface FcmConnectionOptions {
  readonly endpoints: FcmEndpoints;
  readonly answerTimeoutMs: number;
  readonly authorization: () => string;
}

/**
 * The connections to FCM. Google's front ends close a connection that idles for about four minutes,
 * so ours goes first; an hour is the most that one lives, so that load follows Google's DNS.
 */
export function createFcmConnections(options: FcmConnectionOptions): Http2Pool {
  const { endpoints, answerTimeoutMs, authorization } = options;
  return new Http2Pool({
    origin: endpoints.api,
    ca: endpoints.ca,
    authorization,
    maxConnections: MAX_CONNECTIONS,
    maxStreams: MAX_STREAMS,
    maxBodyBytes: MAX_BODY_BYTES,
    maxTimeouts: MAX_TIMEOUTS,
    connectTimeoutMs: 10_000,
    answerTimeoutMs,
    pingAfterMs: MINUTE_MS,
    pingTimeoutMs: 10_000,
    maxIdlePings: 2,
    idleTimeoutMs: 3.5 * MINUTE_MS,
    maxAgeMs: 60 * MINUTE_MS,
  });
}
