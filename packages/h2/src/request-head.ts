import type { Http2Request } from './exchange.ts';
import type { FrameWriter } from './frame-writer.ts';
import { FLAG, FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from './frame.ts';
import type { RequestEncoder } from './request-encoder.ts';
import { FIELD_OVERHEAD_BYTES, isFieldValue, isPath } from './request-shape.ts';

/** Pseudo-header fields, `authorization` and `content-length`, values left out. */
const OWN_FIELDS_BYTES = 64 + 6 * FIELD_OVERHEAD_BYTES;

/** Why a request cannot be sent on a connection; null if it can. */
export function requestProblem(
  { shape, path, values }: Http2Request,
  authorization: string,
  maxListBytes: number,
): string | null {
  if (!isPath(path)) return 'the path has characters that no path can have';
  if (!isFieldValue(authorization)) return 'authorization has a value that no field can have';
  if (values.length !== shape.varying.length) return 'a value is missing, or one too many';
  let bytes = shape.listBytes + OWN_FIELDS_BYTES + path.length + authorization.length;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? '';
    if (!isFieldValue(value)) return `${shape.varying[index]} has a value that no field can have`;
    bytes += value.length;
  }
  return bytes > maxListBytes ? `the peer takes ${maxListBytes} bytes of fields` : null;
}

export interface RequestHead {
  readonly streamId: number;
  readonly request: Http2Request;
  readonly authorization: string;
  readonly maxFrameBytes: number;
}

/** Opens a stream: HEADERS, and CONTINUATION where the block is larger than a frame may be. */
export function writeRequestHead(
  writer: FrameWriter,
  encoder: RequestEncoder,
  { streamId, request, authorization, maxFrameBytes }: RequestHead,
): void {
  const bound = encoder.bound(request, authorization);
  writer.reserve(FRAME_HEADER_BYTES + bound);
  const { slab, offset } = writer;
  const start = offset + FRAME_HEADER_BYTES;
  const end = encoder.encode(slab, start, request, authorization);
  const ending = request.body.length === 0 ? FLAG.endStream : 0;
  if (end - start <= maxFrameBytes) {
    const frame = { length: end - start, type: FRAME.headers, flags: FLAG.endHeaders | ending };
    writeFrameHeader(slab, offset, { ...frame, streamId });
    writer.commit(end);
    return;
  }
  const block = Buffer.from(slab.subarray(start, end));
  for (let from = 0; from < block.length; from += maxFrameBytes) {
    const to = Math.min(from + maxFrameBytes, block.length);
    const type = from === 0 ? FRAME.headers : FRAME.continuation;
    const flags = (from === 0 ? ending : 0) | (to === block.length ? FLAG.endHeaders : 0);
    writer.frame({ type, flags, streamId }, block.subarray(from, to));
  }
}
