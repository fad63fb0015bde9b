import type { HeaderField } from './header-field.ts';

/** RFC 7541 Appendix A, a line for each entry: the name and, behind a space, the value. */
const LINES = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** The fields that every connection knows. That of index 1 is at position 0. */
export const STATIC_FIELDS: readonly HeaderField[] = LINES.trim().split('\n').map(parseLine);

const INDEX_BY_NAME = new Map<string, number>();
const INDEX_BY_FIELD = new Map<string, Map<string, number>>();

for (const [position, { name, value }] of STATIC_FIELDS.entries()) {
  const index = position + 1;
  if (!INDEX_BY_NAME.has(name)) INDEX_BY_NAME.set(name, index);
  const values = INDEX_BY_FIELD.get(name) ?? new Map<string, number>();
  INDEX_BY_FIELD.set(name, values.set(value, index));
}

/** The lowest index with this name; 0 when there is none. */
export function staticNameIndex(name: string): number {
  return INDEX_BY_NAME.get(name) ?? 0;
}

/** The index of exactly this field; 0 when there is none. */
export function staticFieldIndex(name: string, value: string): number {
  return INDEX_BY_FIELD.get(name)?.get(value) ?? 0;
}

function parseLine(line: string): HeaderField {
  const space = line.indexOf(' ');
  if (space === -1) return { name: line, value: '' };
  return { name: line.slice(0, space), value: line.slice(space + 1) };
}
