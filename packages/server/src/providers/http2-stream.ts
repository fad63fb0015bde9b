import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

/**
 * A push provider answers with a few hundred bytes; whoever sends more is not to fill our memory.
 */
const MAX_ANSWER_BYTES = 64 * 1024;

/** How a stream ended, before anybody has judged what a reset means on this connection. */
export type StreamEnd =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | {
      readonly kind: 'reset';
      readonly errorCode: number;
      /** Null when the request never got a stream id, so not even its headers were framed. */
      readonly streamId: number | null;
    }
  | { readonly kind: 'timeout' };

function singleValued(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const single: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') single.push([name, value]);
  }
  return Object.fromEntries(single);
}

/**
 * Follows a stream to its end and cancels it when the whole answer has not come within
 * `answerTimeoutMs`. A status that arrived counts as an answer even if the body was cut off,
 * because the peer's decision is known by then. Never rejects.
 */
export function followStream(
  stream: ClientHttp2Stream,
  answerTimeoutMs: number,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    let response: IncomingHttpHeaders | null = null;
    let ended = false;
    let size = 0;
    const chunks: Buffer[] = [];

    const finish = (withoutAnswer: StreamEnd): void => {
      clearTimeout(deadline);
      if (response === null) return resolve(withoutAnswer);
      resolve({
        kind: 'answer',
        status: Number(response[':status']),
        headers: singleValued(response),
        // Node ends the readable side of a stream that was reset, too; only its code tells.
        body: ended && stream.rstCode === 0 ? Buffer.concat(chunks).toString('utf8') : '',
      });
    };
    // The promise does not wait for the stream's end here: on a stalled socket the reset itself may
    // never be flushed, and then 'close' comes only with the end of the connection.
    const deadline = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
      finish({ kind: 'timeout' });
    }, answerTimeoutMs);

    stream.on('response', (headers) => {
      response = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('end', () => {
      ended = true;
    });
    // 'close' follows every error and carries what matters, the error code of the reset.
    stream.on('error', () => {});
    stream.on('close', () => {
      finish({ kind: 'reset', errorCode: stream.rstCode ?? 0, streamId: stream.id ?? null });
    });
  });
}
