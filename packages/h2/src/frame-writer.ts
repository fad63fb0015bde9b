import { FLAG, FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from './frame.ts';

/** Large enough for hundreds of requests in one write, and for four full TLS records. */
export const SLAB_BYTES = 64 * 1024;

/** Slabs that wait to be used again; more than this many are only in use while a socket stalls. */
const SPARE_SLABS = 4;

/** Takes bytes that must stay as they are until it calls back. */
export type WriteBytes = (bytes: Buffer, done: () => void) => void;

/**
 * Collects frames in large buffers and hands them to a socket once for each turn of the event loop:
 * one TLS record, one encryption and one system call then serve many requests. `setImmediate`
 * gathers what all answers of one read made callers send; a microtask would write for each answer,
 * because Node runs those after every TLS record that it has decrypted.
 */
export class FrameWriter {
  readonly #write: WriteBytes;
  readonly #onLate: () => void;
  readonly #spare: Buffer[] = [];
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;
  #scheduled: NodeJS.Immediate | null = null;
  /** The earliest moment that anything collected must have been handed over by. */
  #flushBefore = Number.POSITIVE_INFINITY;

  /** `onLate` is called instead of `write` when a freeze of the process has used up the time. */
  constructor(write: WriteBytes, onLate: () => void) {
    this.#write = write;
    this.#onLate = onLate;
  }

  /** The buffer to write into, from `offset` on; good until the next call of any method here. */
  get slab(): Buffer {
    return this.#slab;
  }

  get offset(): number {
    return this.#used;
  }

  /** Makes room for so many bytes at `offset`. */
  reserve(bytes: number): void {
    if (this.#slab.length - this.#used >= bytes) return;
    this.flush();
    if (this.#slab.length < bytes) this.#slab = Buffer.allocUnsafeSlow(bytes);
  }

  /** The slab is written up to here. */
  commit(end: number): void {
    this.#used = end;
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** What is written next is to be handed over before then, on the scale of `performance.now()`. */
  flushBefore(moment: number): void {
    this.#flushBefore = Math.min(this.#flushBefore, moment);
  }

  /** Hands over what has been collected, or forgets all of it when it is too late for a part. */
  flush(): void {
    if (performance.now() > this.#flushBefore) {
      this.discard();
      this.#onLate();
      return;
    }
    this.#cancel();
    if (this.#used === 0) return;
    const slab = this.#slab;
    const bytes = slab.subarray(0, this.#used);
    this.#slab = this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#used = 0;
    this.#flushBefore = Number.POSITIVE_INFINITY;
    this.#write(bytes, () => {
      if (slab.length === SLAB_BYTES && this.#spare.length < SPARE_SLABS) this.#spare.push(slab);
    });
  }

  /** Forgets what has not been handed over. */
  discard(): void {
    this.#cancel();
    this.#used = 0;
    this.#flushBefore = Number.POSITIVE_INFINITY;
  }

  /** Bytes as they are: the connection preface. */
  raw(bytes: Buffer): void {
    this.reserve(bytes.length);
    bytes.copy(this.#slab, this.#used);
    this.commit(this.#used + bytes.length);
  }

  frame(
    { type, flags, streamId }: { type: number; flags: number; streamId: number },
    payload: Buffer,
  ): void {
    const at = this.#begin(payload.length, type, flags, streamId);
    this.commit(at + payload.copy(this.#slab, at));
  }

  settings(entries: readonly (readonly [id: number, value: number])[]): void {
    let at = this.#begin(entries.length * 6, FRAME.settings, 0, 0);
    for (const [id, value] of entries) {
      at = this.#slab.writeUInt16BE(id, at);
      at = this.#slab.writeUInt32BE(value, at);
    }
    this.commit(at);
  }

  settingsAck(): void {
    this.commit(this.#begin(0, FRAME.settings, FLAG.ack, 0));
  }

  /** A PING, or the answer to one, with the eight bytes that it carries. */
  ping(opaque: Buffer, isAck: boolean): void {
    const at = this.#begin(8, FRAME.ping, isAck ? FLAG.ack : 0, 0);
    opaque.copy(this.#slab, at, 0, 8);
    this.commit(at + 8);
  }

  rstStream(streamId: number, code: number): void {
    const at = this.#begin(4, FRAME.rstStream, 0, streamId);
    this.commit(this.#slab.writeUInt32BE(code, at));
  }

  windowUpdate(streamId: number, bytes: number): void {
    const at = this.#begin(4, FRAME.windowUpdate, 0, streamId);
    this.commit(this.#slab.writeUInt32BE(bytes, at));
  }

  /** Of a client, which has taken no stream of its peer's. */
  goaway(code: number): void {
    const at = this.#begin(8, FRAME.goaway, 0, 0);
    this.#slab.writeUInt32BE(0, at);
    this.commit(this.#slab.writeUInt32BE(code, at + 4));
  }

  data(streamId: number, bytes: Buffer, start: number, end: number, isLast: boolean): void {
    const at = this.#begin(end - start, FRAME.data, isLast ? FLAG.endStream : 0, streamId);
    bytes.copy(this.#slab, at, start, end);
    this.commit(at + end - start);
  }

  #begin(length: number, type: number, flags: number, streamId: number): number {
    this.reserve(FRAME_HEADER_BYTES + length);
    return writeFrameHeader(this.#slab, this.#used, { length, type, flags, streamId });
  }

  #cancel(): void {
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
  }
}
