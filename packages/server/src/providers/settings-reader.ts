import { isJsonObject } from './json-object.ts';

/**
 * One thing that is wrong with what the operator gave. Never holds the value: it may be a secret.
 */
export interface SettingsProblem {
  /** The path of the field, as in `serviceAccount.private_key`; empty for the whole. */
  readonly field: string;
  readonly message: string;
}

export type ParsedSettings<Settings> =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'problems'; readonly problems: readonly SettingsProblem[] };

/**
 * Reads fields of unknown input one by one and collects every problem, so that all show at once.
 */
export class SettingsReader {
  readonly problems: SettingsProblem[];
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  constructor(input: unknown, prefix = '', problems: SettingsProblem[] = []) {
    this.problems = problems;
    this.#prefix = prefix;
    this.#fields = isJsonObject(input) ? input : {};
    if (!isJsonObject(input)) this.problem('', 'must be an object');
  }

  problem(field: string, message: string): void {
    const path = [this.#prefix, field].filter((part) => part !== '').join('.');
    this.problems.push({ field: path, message });
  }

  /** Refuses fields that nobody would read: most of them are misspelt. */
  allowOnly(names: readonly string[]): void {
    for (const name of Object.keys(this.#fields)) {
      if (!names.includes(name)) this.problem(name, 'is not a known field');
    }
  }

  raw(field: string): unknown {
    return this.#fields[field];
  }

  /** A string that matches; '' after recording a problem. */
  string(field: string, pattern: RegExp, expectation: string): string {
    const value = this.#fields[field];
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.problem(field, value === undefined ? 'is missing' : `must be ${expectation}`);
    return '';
  }

  /** A reader for an object inside, which reports into the same list. */
  object(field: string): SettingsReader {
    const path = this.#prefix === '' ? field : `${this.#prefix}.${field}`;
    return new SettingsReader(this.#fields[field], path, this.problems);
  }
}
