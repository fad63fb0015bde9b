import { addAbortSignal, pipeline, Readable } from 'node:stream';
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
 * the stream fails, because `fetch` would hide it in an error of its own. It does not close a body
 * either that it has not begun to send, or given up in the middle; the signal does.
 */
export function uploadContent(lines: Lines<unknown>, onBroken: (error: unknown) => void): Content {
  return {
    headers: HEADERS,
    isRepeatable: typeof lines === 'function' || Array.isArray(lines),
    open(ended) {
      const texts = Readable.from(watched(lines, onBroken));
      const packed = addAbortSignal(ended, createGzip());
      // Either end may fail; both are closed then, and the source with them.
      pipeline(texts, packed, () => {});
      // By default it would hold 16,384 pieces, however large: the whole list, packed.
      const strategy = new ByteLengthQueuingStrategy({ highWaterMark: QUEUE_BYTES });
      return Readable.toWeb(packed, { strategy }) as ReadableStream;
    },
  };
}

/**
 * Tells what the source throws, and nothing that is thrown in at a `yield` because nobody wants
 * more: that is no fault of the source's.
 */
async function* watched(
  lines: Lines<unknown>,
  onBroken: (error: unknown) => void,
): AsyncGenerator<string> {
  const texts = textsOf(lines);
  try {
    for (;;) {
      const next = await texts.next().catch((error: unknown) => {
        onBroken(error);
        throw error;
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await texts.return(undefined);
  }
}

async function* textsOf(lines: Lines<unknown>): AsyncGenerator<string> {
  yield* writeLines(typeof lines === 'function' ? lines() : lines);
}
