/** A header field as HPACK sees it: each character of name and value is one byte (latin1). */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** What an entry of a table costs beside its strings (RFC 7541 section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

/** The size of a field in the dynamic table, and in a header list (RFC 9113 section 6.5.2). */
export function fieldBytes(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
