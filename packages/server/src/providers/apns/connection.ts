import type { ApnsEnvironment } from '../../domain/address.ts';
import { Http2Pool } from '@homing/h2';
import type { PushCertificate } from './push-certificate.ts';
import type { ApnsEndpoints } from './settings.ts';

export const MAX_CONNECTIONS = 2;

/** Apple announces 1000 streams today; half of that keeps latency even when the peer is slow. */
export const MAX_STREAMS = 500;

/** An answer has a few hundred bytes; whoever sends more is not to fill our memory. */
const MAX_BODY_BYTES = 64 * 1024;

/** So many answers in a row that stay away, and the connection is replaced. */
const MAX_TIMEOUTS = 8;

const MINUTE_MS = 60_000;

/** How long APNs gets for an answer; it takes well under a second as a rule. */
export const ANSWER_TIMEOUT_MS = 15_000;

export interface ApnsConnectionOptions {
  readonly environment: ApnsEnvironment;
  readonly endpoints: ApnsEndpoints;
  readonly answerTimeoutMs: number;
  /** What authenticates the connection; null where each request does so itself. */
  readonly certificate: PushCertificate | null;
  /** Empty where the connection is authenticated. */
  readonly authorization: () => string;
}

/**
 * The connections to one environment. They serve one team and one key: APNs binds a connection to
 * the first key that it sees there. Apple asks for connections that live for hours and takes
 * frequent opening and closing for an attack, so neither age nor a quiet hour ends one.
 */
export function createApnsConnections(options: ApnsConnectionOptions): Http2Pool {
  const { environment, endpoints, answerTimeoutMs, certificate, authorization } = options;
  return new Http2Pool({
    origin: endpoints[environment],
    ca: endpoints.ca,
    ...(certificate !== null && {
      identity: { cert: certificate.certificatePem, key: certificate.privateKeyPem },
    }),
    authorization,
    maxConnections: MAX_CONNECTIONS,
    maxStreams: MAX_STREAMS,
    maxBodyBytes: MAX_BODY_BYTES,
    maxTimeouts: MAX_TIMEOUTS,
    connectTimeoutMs: 10_000,
    answerTimeoutMs,
    pingAfterMs: 5 * MINUTE_MS,
    pingTimeoutMs: 10_000,
    maxIdlePings: 12,
    idleTimeoutMs: 8 * 60 * MINUTE_MS,
    maxAgeMs: 24 * 60 * MINUTE_MS,
  });
}
