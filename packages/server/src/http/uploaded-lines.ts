import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { LIMITS } from '../domain/limits.ts';
import { ApiError } from './api-error.ts';

/**
 * Hands the bytes of an upload, unpacked where it says that it is packed, to whoever reads them,
 * and returns what that one returns. What is not read is let go, so that the answer can be sent.
 */
export async function readUpload<T>(
  request: FastifyRequest,
  read: (source: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const payload = request.body as Readable;
  // While what came is worked on nothing moves on the connection, which is no reason to end it.
  request.raw.socket.setTimeout(LIMITS.uploadMs);
  const wire = new PassThrough();
  payload.pipe(wire);
  payload.on('error', (error) => wire.destroy(error));
  try {
    return await read(isPacked(request) ? bounded(unpack(bounded(wire))) : bounded(wire));
  } catch (error) {
    throw toApiError(error, payload);
  } finally {
    payload.unpipe(wire).resume();
    wire.destroy();
  }
}

/** What either stream fails with, whoever reads the unpacked one fails with. */
function unpack(packed: AsyncIterable<Buffer>): Readable {
  const unpacked = createGunzip();
  pipeline(packed, unpacked).catch(() => {});
  return unpacked;
}

function isPacked(request: FastifyRequest): boolean {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new ApiError('unsupported_media_type', 'the content encoding can be gzip, or none');
  }
  return encoding === 'gzip';
}

/** Packed or unpacked: a few bytes can become as many as one likes, or none at all. */
async function* bounded(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > LIMITS.audienceBytes) {
      throw new ApiError('body_too_large', `more than ${LIMITS.audienceBytes} bytes`);
    }
    yield piece;
  }
}

function toApiError(error: unknown, payload: Readable): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_')) {
    return new ApiError('invalid_request', 'the body is not gzip, or breaks off');
  }
  return payload.errored === error ? new ApiError('invalid_request', 'the body breaks off') : error;
}
