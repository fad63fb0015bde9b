/** A place in a header block: what is read next, and where the block ends. */
export interface ByteCursor {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
}
