import { LIMITS } from './limits.ts';

export type ParsedJson =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly detail: string };

/** What is read, as it is called in front of whoever sent it. */
export type JsonSubject = 'the body' | 'the assertion' | 'the key set';

/**
 * Parses JSON from outside strictly. Beside malformed text it refuses what `JSON.parse` takes in
 * silence and what means different things to different readers: duplicate keys, NUL, lone
 * surrogates, `__proto__`, nesting beyond 20 and more than 1,000 keys. RFC 8259 section 4 leaves
 * duplicates undefined.
 */
export function parseJson(bytes: Buffer, subject: JsonSubject): ParsedJson {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return { kind: 'invalid', detail: `${subject} is not UTF-8` };
  }
  const refusal = new Scanner(text, subject).scan();
  if (refusal !== null) return { kind: 'invalid', detail: refusal };
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unreadable';
    return { kind: 'invalid', detail: `${subject} is not JSON: ${withoutExcerpt(message)}` };
  }
}

/**
 * The engine quotes the text around a fault, which may be a token; the rest of its message serves.
 */
function withoutExcerpt(message: string): string {
  return message.replace(/,? (?:\.\.\.)?".*$/s, '');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Walks the text once before it is parsed; whether it is JSON at all is left to `JSON.parse`. */
class Scanner {
  readonly #text: string;
  readonly #subject: JsonSubject;
  #at = 0;
  #keys = 0;
  /** The keys seen so far of each object that is open; null for an array. */
  readonly #open: (Set<string> | null)[] = [];

  constructor(text: string, subject: JsonSubject) {
    this.#text = text;
    this.#subject = subject;
  }

  scan(): string | null {
    while (this.#at < this.#text.length) {
      const refusal = this.#step(this.#text.charAt(this.#at));
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #step(character: string): string | null {
    switch (character) {
      case '"':
        return this.#string();
      case '{':
      case '[':
        this.#at += 1;
        this.#open.push(character === '{' ? new Set() : null);
        return this.#open.length > LIMITS.jsonDepth
          ? `${this.#subject} is nested more than ${LIMITS.jsonDepth} deep`
          : null;
      case '}':
      case ']':
        this.#at += 1;
        this.#open.pop();
        return null;
      default:
        this.#at += 1;
        return null;
    }
  }

  #string(): string | null {
    const start = this.#at;
    this.#at = endOfString(this.#text, start);
    const value = unescape(this.#text.slice(start, this.#at));
    // A string that does not parse is reported by JSON.parse, with its position.
    if (value === null) return null;
    if (value.includes('\u0000')) return 'a string holds a NUL character';
    if (!value.isWellFormed()) return 'a string holds half of a surrogate pair';
    return this.#isKey() ? this.#key(value) : null;
  }

  #isKey(): boolean {
    let next = this.#at;
    while (isSpace(this.#text.charCodeAt(next))) next += 1;
    return this.#text.charAt(next) === ':';
  }

  #key(key: string): string | null {
    const keys = this.#open.at(-1);
    if (!keys) return null;
    if (key === '__proto__') return 'the key "__proto__" is not allowed';
    if (keys.has(key))
      return `the key ${JSON.stringify(key.slice(0, 64))} stands twice in one object`;
    keys.add(key);
    this.#keys += 1;
    return this.#keys > LIMITS.jsonKeys
      ? `${this.#subject} has more than ${LIMITS.jsonKeys} keys`
      : null;
  }
}

/** Where the text goes on behind the string that begins at a place. */
function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) break;
    end += code === BACKSLASH ? 2 : 1;
  }
  return end + 1;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What JSON allows between its parts (RFC 8259 section 2). */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function unescape(literal: string): string | null {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}
