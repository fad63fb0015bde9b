import assert from 'node:assert/strict';

/** RFC 9110 section 5.6.2, in lower case as RFC 9113 section 8.2 wants it. */
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;
const MAX_BYTE = 0xff;

/** Set by the connection itself, or without meaning in HTTP/2 (section 8.2.2). */
const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Each field counts so many bytes more in the size of a list (RFC 9113 section 6.5.2). */
export const FIELD_OVERHEAD_BYTES = 32;

export interface RequestShapeOptions {
  /** Fields that are the same for every request of the shape. */
  readonly constants?: Readonly<Record<string, string>>;
  /** Names of the fields that differ from request to request. */
  readonly varying?: readonly string[];
}

/**
 * The header fields that many requests have in common. A connection spells out the constant ones
 * once and then names them by an index of one byte each (RFC 7541 section 6.1), so requests of the
 * same kind should share a shape. Throws for names and values that HTTP/2 cannot carry.
 */
export class RequestShape {
  readonly constants: readonly (readonly [name: string, value: string])[];
  readonly varying: readonly string[];
  /** What the shape adds to the size of a request's header list, its varying values left out. */
  readonly listBytes: number;

  constructor({ constants = {}, varying = [] }: RequestShapeOptions) {
    this.constants = Object.entries(constants);
    this.varying = varying;
    const names = [...Object.keys(constants), ...varying];
    for (const name of names) {
      assert(FIELD_NAME.test(name) && !RESERVED.has(name), `${name} cannot be a field here`);
    }
    for (const [name, value] of this.constants) {
      assert(isFieldValue(value), `${name} has a value that no field can have`);
    }
    const textBytes = [...names, ...Object.values(constants)].join('').length;
    this.listBytes = textBytes + names.length * FIELD_OVERHEAD_BYTES;
  }
}

/**
 * Whether a text can be the value of a field: nothing that could end it, and no blanks around it
 * (RFC 9113 section 8.2.1). A loop, because it is asked of every value of every request: regular
 * expressions for these and the path took 10 % of all processor time against nghttpd.
 */
export function isFieldValue(value: string): boolean {
  const last = value.length - 1;
  for (let index = 0; index <= last; index += 1) {
    const code = value.charCodeAt(index);
    if (code > SPACE) {
      if (code === DELETE || code > MAX_BYTE) return false;
    } else if ((code !== SPACE && code !== TAB) || index === 0 || index === last) return false;
  }
  return true;
}

/** Whether a text can be a `:path`: it begins with a slash and has nothing but visible ASCII. */
export function isPath(path: string): boolean {
  if (!path.startsWith('/')) return false;
  for (let index = 1; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    if (code <= SPACE || code >= DELETE) return false;
  }
  return true;
}
