// Frames as RFC 9113 draws them, spelled out anew: a mistake in the client's own constants would
// hide behind itself if its tests shared them.

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

type Fields = readonly (readonly [name: string, value: string])[];

export function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function settings(
  values: Partial<Readonly<Record<keyof typeof SETTING, number>>> = {},
): Buffer {
  const entries = Object.entries(values).map(([name, value]) => {
    const entry = Buffer.alloc(6);
    entry.writeUInt16BE(SETTING[name as keyof typeof SETTING], 0);
    entry.writeUInt32BE(value, 2);
    return entry;
  });
  return frame(TYPE.settings, 0, 0, Buffer.concat(entries));
}

export function ping(text: string, flags = 0): Buffer {
  return frame(TYPE.ping, flags, 0, Buffer.from(text));
}

export function rstStream(streamId: number, code: number): Buffer {
  return frame(TYPE.rstStream, 0, streamId, uint32(code));
}

export function windowUpdate(streamId: number, bytes: number): Buffer {
  return frame(TYPE.windowUpdate, 0, streamId, uint32(bytes));
}

export function goaway(lastStreamId: number, code: number, debugText = ''): Buffer {
  const payload = Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(debugText)]);
  return frame(TYPE.goaway, 0, 0, payload);
}

export function data(streamId: number, body: string | Buffer, flags = 0): Buffer {
  return frame(TYPE.data, flags, streamId, Buffer.from(body));
}

/** HEADERS with the whole of a block. */
export function headers(streamId: number, block: Buffer, flags = 0): Buffer {
  return frame(TYPE.headers, END_HEADERS | flags, streamId, block);
}

/** Every field as a plain literal that enters no table. */
export function literals(fields: Fields): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** A plain literal that becomes the newest entry of the table. */
export function indexed(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** A whole answer; without a body it ends with its head. */
export function answer(streamId: number, status = 200, body = 'ok', fields: Fields = []): Buffer {
  const block = literals([[':status', String(status)], ...fields]);
  return Buffer.concat([
    headers(streamId, block, body === '' ? END_STREAM : 0),
    ...(body === '' ? [] : [data(streamId, body, END_STREAM)]),
  ]);
}

/** With the padding that is asked for, or none, in front of and behind a payload. */
export function padded(payload: Buffer, bytes: number): Buffer {
  return Buffer.concat([Buffer.from([bytes]), payload, Buffer.alloc(bytes)]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push(128 + (rest % 128));
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
