import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Content } from './call.ts';
import { writeLines } from './lines.ts';

/** Values to be uploaded, a line each. A function gives them anew each time it is called. */
export type Lines<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>);

const HEADERS = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' };

/** What waits for the connection. */
const QUEUE_BYTES = 64 * 1024;

/**
 * The lines as gzip, made as they are asked for. What their source throws goes to `onBroken` before
 * the stream fails, because `fetch` would hide it in an error of its own.
 */
export function uploadContent(lines: Lines<unknown>, onBroken: (error: unknown) => void): Content {
  return {
    headers: HEADERS,
    isRepeatable: typeof lines === 'function' || Array.isArray(lines),
    open() {
      const texts = Readable.from(watched(lines, onBroken));
      const packed = createGzip();
      // Either end may fail; both are closed then, and the source with them.
      pipeline(texts, packed, () => {});
      // By default it would hold 16,384 pieces, however large: the whole list, packed.
      const strategy = new ByteLengthQueuingStrategy({ highWaterMark: QUEUE_BYTES });
      return Readable.toWeb(packed, { strategy }) as ReadableStream;
    },
  };
}

async function* watched(
  lines: Lines<unknown>,
  onBroken: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    yield* writeLines(typeof lines === 'function' ? lines() : lines);
  } catch (error) {
    onBroken(error);
    throw error;
  }
}
