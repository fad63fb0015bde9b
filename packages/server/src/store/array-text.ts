export type ArrayElement = string | number | boolean | Date | Buffer | null;

/**
 * An array in PostgreSQL's text form, to be cast from text. That costs both sides less than JSON,
 * and has bytes and times.
 */
export function arrayText(values: readonly ArrayElement[]): string {
  return `{${values.map(elementText).join(',')}}`;
}

function elementText(value: ArrayElement): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `"${value.replace(SPECIAL, '\\$&')}"`;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  return Buffer.isBuffer(value) ? `"\\\\x${value.toString('hex')}"` : String(value);
}

const SPECIAL = /["\\]/g;
