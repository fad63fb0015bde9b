import type { PlainMessage } from './message-encryption.ts';

const POINT_BYTES = 65;
const AUTH_BYTES = 16;
const LENGTH_BYTES = 2;
const HEAD_BYTES = 2 * LENGTH_BYTES + POINT_BYTES + AUTH_BYTES;

/**
 * Messages on their way to a thread, in one piece of memory that is handed over and not copied:
 * an object for each would cost more than what it holds.
 *
 * Of each message: length of the plaintext 2 · padded length 2 · p256dh 65 · auth 16 · plaintext.
 */
export function packMessages(messages: readonly PlainMessage[]): ArrayBuffer {
  const bytes = messages.reduce((sum, { plaintext }) => sum + HEAD_BYTES + plaintext.length, 0);
  const packed = new ArrayBuffer(bytes);
  const view = Buffer.from(packed);
  let at = 0;
  for (const { plaintext, paddedBytes, p256dh, auth } of messages) {
    at = view.writeUInt16BE(plaintext.length, at);
    at = view.writeUInt16BE(paddedBytes, at);
    for (const part of [p256dh, auth, plaintext]) {
      view.set(part, at);
      at += part.length;
    }
  }
  return packed;
}

/** Views into what `packMessages` made. */
export function unpackMessages(packed: ArrayBuffer): readonly PlainMessage[] {
  const view = Buffer.from(packed);
  const messages: PlainMessage[] = [];
  let at = 0;
  const take = (bytes: number): Buffer => view.subarray(at, (at += bytes));
  while (at < view.length) {
    const plaintextBytes = take(LENGTH_BYTES).readUInt16BE();
    const paddedBytes = take(LENGTH_BYTES).readUInt16BE();
    const [p256dh, auth, plaintext] = [take(POINT_BYTES), take(AUTH_BYTES), take(plaintextBytes)];
    messages.push({ plaintext, paddedBytes, p256dh, auth });
  }
  return messages;
}

/** Encrypted messages on their way back; a length of 0 stands for one that could not be. */
export function packBodies(bodies: readonly (Buffer | null)[]): ArrayBuffer {
  const bytes = bodies.reduce((sum, body) => sum + LENGTH_BYTES + (body?.length ?? 0), 0);
  const packed = new ArrayBuffer(bytes);
  const view = Buffer.from(packed);
  let at = 0;
  for (const body of bodies) {
    at = view.writeUInt16BE(body?.length ?? 0, at);
    if (body === null) continue;
    view.set(body, at);
    at += body.length;
  }
  return packed;
}

/** Views into what `packBodies` made. */
export function unpackBodies(packed: ArrayBuffer): readonly (Buffer | null)[] {
  const view = Buffer.from(packed);
  const bodies: (Buffer | null)[] = [];
  let at = 0;
  while (at < view.length) {
    const bytes = view.readUInt16BE(at);
    at += LENGTH_BYTES;
    bodies.push(bytes === 0 ? null : view.subarray(at, at + bytes));
    at += bytes;
  }
  return bodies;
}
