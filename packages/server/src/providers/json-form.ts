import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** Random, so that no content can be mistaken for a blank. */
const MARK = randomUUID();
const BLANK = new RegExp(`"${MARK}\\.(\\w+)"`, 'g');

/**
 * A JSON text with blanks for what differs between pushes of one message. A campaign serialises its
 * content once, and each push costs a concatenation.
 */
export interface JsonForm {
  /** The text between the blanks: one more than there are blanks. */
  readonly texts: readonly string[];
  readonly blanks: readonly string[];
  readonly textBytes: number;
}

export type BlankValues = Readonly<Record<string, string>>;

/**
 * Stands, inside a value given to `compileJsonForm`, for a string that `fillJsonForm` puts there.
 */
export function blank(name: string): string {
  return `${MARK}.${name}`;
}

/** Serialises a JSON value once. */
export function compileJsonForm(value: unknown): JsonForm {
  // `split` with a capturing group yields texts and names of blanks in turn.
  const parts = JSON.stringify(value).split(BLANK);
  const texts = parts.filter((_, index) => index % 2 === 0);
  const blanks = parts.filter((_, index) => index % 2 === 1);
  return { texts, blanks, textBytes: Buffer.byteLength(texts.join('')) };
}

function filled(name: string, values: BlankValues): string {
  const value = values[name];
  assert(value !== undefined, `no value for the blank ${name}`);
  return JSON.stringify(value);
}

/** The JSON text with every blank filled in. */
export function fillJsonForm(form: JsonForm, values: BlankValues): string {
  let text = '';
  for (const [index, fixed] of form.texts.entries()) {
    const name = form.blanks[index];
    text += name === undefined ? fixed : fixed + filled(name, values);
  }
  return text;
}

/** The size in UTF-8 bytes of what `fillJsonForm` would return. */
export function jsonFormBytes(form: JsonForm, values: BlankValues): number {
  return form.blanks.reduce(
    (bytes, name) => bytes + Buffer.byteLength(filled(name, values)),
    form.textBytes,
  );
}
