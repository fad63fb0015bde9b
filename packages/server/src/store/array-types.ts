import { arrayText, type ArrayElement } from './array-text.ts';

/** How one array type of PostgreSQL goes to it, and comes back, as text. */
interface ArrayType {
  readonly to: number;
  from: number[];
  readonly serialize: (value: unknown) => unknown;
  readonly parse: (text: string) => unknown[];
}

type Read = (text: string) => unknown;

/** An element as PostgreSQL writes it: in quotes, with escapes, or bare up to the next comma. */
const ELEMENTS = /"((?:[^"\\]|\\.)*)"|([^{},]+)/gs;

/**
 * The array types of our statements, by their numbers in the catalogue of PostgreSQL, which never
 * change. Left to itself, the driver asks for them on every new connection, and when the connection
 * dies before the answer, nobody listens to that failure: an unhandled rejection, which would end
 * the process each time that PostgreSQL goes away at the wrong moment.
 *
 * Of one dimension only. A statement with a type that is missing here fails with "malformed array
 * literal", or gets the array as text.
 */
export const ARRAY_TYPES: Readonly<Record<string, ArrayType>> = {
  booleans: arrayType(1000, (text) => text === 't'),
  byteas: arrayType(1001, (text) => Buffer.from(text.slice(2), 'hex')),
  smallints: arrayType(1005, Number),
  integers: arrayType(1007, Number),
  bigints: arrayType(1016, Number),
  texts: arrayType(1009, String),
  dates: arrayType(1182, String),
  timestamps: arrayType(1185, (text) => new Date(text)),
  uuids: arrayType(2951, String),
};

function arrayType(oid: number, read: Read): ArrayType {
  return {
    to: oid,
    from: [oid],
    // What is not an array is one in PostgreSQL's own form already.
    serialize: (value) => (Array.isArray(value) ? arrayText(value as ArrayElement[]) : value),
    parse: (text) => readArray(text, read),
  };
}

function readArray(text: string, read: Read): unknown[] {
  return Array.from(text.matchAll(ELEMENTS), ([, quoted, bare = '']) => {
    if (quoted !== undefined) return read(quoted.replaceAll(/\\(.)/gs, '$1'));
    return bare === 'NULL' ? null : read(bare);
  });
}
