// Reading what strangers send to the inspection server: objects that are one of several kinds.

import { unreachable } from './unreachable.ts';

/** A parsed value, or the field that is wrong and what is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly field: string; readonly problem: string };

export type FieldRule =
  | { readonly type: 'string' | 'integer'; readonly optional?: boolean }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

/** For each kind, the fields that an object of that kind has beside `kind`. */
export type VariantShapes<Kind extends string> = Readonly<
  Record<Kind, Readonly<Record<string, FieldRule>>>
>;

/** The answer to input that is wrong: the field's path, and a predicate that follows its name. */
export function invalid(field: string, problem: string): Parsed<never> {
  return { ok: false, field, problem };
}

/** Whether a value is a JSON object, as opposed to an array or null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads an object with a `kind`. The caller's type follows from its shapes table, which is to be
 * checked against that type with `satisfies`, so the value is handed back under it.
 */
export function readVariant<T extends { readonly kind: string }>(
  input: unknown,
  shapes: VariantShapes<T['kind']>,
  field: string,
): Parsed<T> {
  if (!isRecord(input)) return invalid(field, 'must be an object');
  const kinds = Object.keys(shapes);
  const { kind } = input;
  const shape = Object.entries<Readonly<Record<string, FieldRule>>>(shapes).find(
    ([name]) => name === kind,
  )?.[1];
  if (shape === undefined) return invalid(`${field}.kind`, `must be one of ${kinds.join(', ')}`);
  for (const name of Object.keys(input)) {
    if (name !== 'kind' && !Object.hasOwn(shape, name)) {
      return invalid(`${field}.${name}`, 'is not a field of this kind');
    }
  }
  for (const [name, rule] of Object.entries(shape)) {
    const problem = problemWith(input[name], rule);
    if (problem !== null) return invalid(`${field}.${name}`, problem);
  }
  return { ok: true, value: input as unknown as T };
}

function problemWith(value: unknown, rule: FieldRule): string | null {
  switch (rule.type) {
    case 'choice':
      return typeof value === 'string' && rule.choices.includes(value)
        ? null
        : `must be one of ${rule.choices.join(', ')}`;
    case 'string':
      if (value === undefined && rule.optional === true) return null;
      return typeof value === 'string' ? null : 'must be a string';
    case 'integer':
      if (value === undefined && rule.optional === true) return null;
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? null
        : 'must be a whole number, not negative';
    default:
      return unreachable(rule);
  }
}
