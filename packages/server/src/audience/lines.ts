const NEWLINE = 0x0a;

/** A line of a stream; its number counts from 1. */
export interface Line {
  readonly number: number;
  /** Without its end; null where it is longer than lines may be, which then is the last one. */
  readonly bytes: Buffer | null;
}

/**
 * The lines of a stream of bytes, as many at a time as a piece of it ends. Holds no more than a
 * piece and one line. The last line needs no end.
 */
export async function* linesOf(
  source: AsyncIterable<Buffer>,
  mostBytes: number,
): AsyncGenerator<readonly Line[]> {
  let count = 0;
  let begun: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const bytes = begun.length === 0 ? piece : Buffer.concat([begun, piece]);
    const lines: Line[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      count += 1;
      if (end - from > mostBytes) return yield [...lines, { number: count, bytes: null }];
      lines.push({ number: count, bytes: bytes.subarray(from, end) });
      from = end + 1;
    }
    begun = bytes.subarray(from);
    if (begun.length > mostBytes) return yield [...lines, { number: count + 1, bytes: null }];
    yield lines;
  }
  if (begun.length > 0) yield [{ number: count + 1, bytes: begun }];
}
