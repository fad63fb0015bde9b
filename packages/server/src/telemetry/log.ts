import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { LogLevel } from '../domain/log-level.ts';

export type Logger = PinoLogger;

/** The one redaction layer: what may never be written, wherever an object carries it. */
const REDACTED = [
  'token',
  'secret',
  'assertion',
  'authorization',
  'password',
  'endpoint',
  'content',
  'body',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * A JSON logger. Tokens appear in logs as fingerprints and content as sizes; the redaction is the
 * net below that, not a licence to log them.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: serializeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * Driver errors carry query parameters, which may be tokens; only what describes the fault is kept.
 */
function serializeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error ? error.code : undefined;
  return { type: error.name, message: error.message, code, stack: error.stack };
}
