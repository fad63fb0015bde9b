import { isRecord } from '../variant.ts';

/** google.rpc.BadRequest.FieldViolation. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

type ScalarKind = 'string' | 'bool' | 'int32' | 'float' | 'duration' | 'timestamp' | 'struct';

/** What a field of a protobuf message may hold in its JSON form. */
export type FieldType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'enum'; readonly typeName: string; readonly values: readonly string[] }
  | { readonly kind: 'map' }
  | { readonly kind: 'list'; readonly of: FieldType }
  | {
      readonly kind: 'message';
      readonly typeName: string;
      readonly fields: Readonly<Record<string, FieldType>>;
    };

interface Scalar {
  readonly name: string;
  readonly accepts: (value: unknown) => boolean;
}

const TYPE_PREFIX = 'type.googleapis.com/';
const FCM_TYPES = `${TYPE_PREFIX}google.firebase.fcm.v1.`;
const DURATION = /^-?\d{1,12}(?:\.\d{1,9})?s$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const WHOLE_NUMBER = /^-?\d{1,10}$/;

/** How the parser names a scalar type in its complaints, and what it takes for one. */
const SCALARS = {
  string: { name: 'TYPE_STRING', accepts: (value) => typeof value === 'string' },
  bool: { name: 'TYPE_BOOL', accepts: (value) => typeof value === 'boolean' },
  int32: {
    name: 'TYPE_INT32',
    accepts: (value) => Number.isInteger(value) || isText(value, WHOLE_NUMBER),
  },
  float: { name: 'TYPE_FLOAT', accepts: (value) => typeof value === 'number' },
  duration: {
    name: `${TYPE_PREFIX}google.protobuf.Duration`,
    accepts: (value) => isText(value, DURATION),
  },
  timestamp: {
    name: `${TYPE_PREFIX}google.protobuf.Timestamp`,
    accepts: (value) => isText(value, TIMESTAMP),
  },
  struct: { name: `${TYPE_PREFIX}google.protobuf.Struct`, accepts: isRecord },
} as const satisfies Record<ScalarKind, Scalar>;

/** Where proto3's JSON parser would stumble: unknown names and values of the wrong type. */
export function findViolations(type: FieldType, value: unknown): readonly Violation[] {
  return [...violationsOf(type, value, '')];
}

/** A field's value by its name in snake_case, whichever of its two spellings was used. */
export function fieldOf(message: Readonly<Record<string, unknown>>, name: string): unknown {
  return message[name] ?? message[camelCase(name)] ?? null;
}

/** Null stands for an absent field throughout proto3's JSON. */
function* violationsOf(type: FieldType, value: unknown, path: string): Generator<Violation> {
  if (value === null || value === undefined) return;
  if (type.kind === 'message') yield* messageViolations(type, value, path);
  else if (type.kind === 'map') yield* mapViolations(value, path);
  else if (type.kind === 'list') {
    if (!Array.isArray(value)) yield invalidValue(type, value, path);
    else
      for (const [index, item] of value.entries()) {
        yield* violationsOf(type.of, item, `${path}[${index}]`);
      }
  } else if (type.kind === 'enum') {
    // Google's own admin libraries write them in lower case, and Google takes that.
    const name = typeof value === 'string' ? value.toUpperCase() : value;
    if (!type.values.some((known) => known === name)) yield invalidValue(type, value, path);
  } else if (!SCALARS[type.kind].accepts(value)) yield invalidValue(type, value, path);
}

function* messageViolations(
  type: Extract<FieldType, { kind: 'message' }>,
  value: unknown,
  path: string,
): Generator<Violation> {
  if (!isRecord(value)) {
    yield invalidValue(type, value, path);
    return;
  }
  for (const [key, fieldValue] of Object.entries(value)) {
    const name = snakeCase(key);
    const fieldType = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (fieldType === undefined) yield unknownName(key, path);
    else yield* violationsOf(fieldType, fieldValue, path === '' ? name : `${path}.${name}`);
  }
}

/** The parser sees a map as a list of entries, and names them by their position. */
function* mapViolations(value: unknown, path: string): Generator<Violation> {
  if (!isRecord(value)) {
    yield invalidValue({ kind: 'map' }, value, path);
    return;
  }
  for (const [index, item] of Object.values(value).entries()) {
    if (typeof item === 'string') continue;
    yield invalidValue({ kind: 'string' }, item, `${path}[${index}].value`);
  }
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function unknownName(name: string, path: string): Violation {
  const place = path === '' ? '' : ` at '${path}'`;
  return {
    field: path,
    description: `Invalid JSON payload received. Unknown name "${name}"${place}: Cannot find field.`,
  };
}

function invalidValue(type: FieldType, value: unknown, path: string): Violation {
  const shown = JSON.stringify(value);
  return {
    field: path,
    description: `Invalid value at '${path}' (${protobufName(type)}), ${shown}`,
  };
}

function protobufName(type: FieldType): string {
  if (type.kind === 'enum' || type.kind === 'message') return FCM_TYPES + type.typeName;
  if (type.kind === 'map' || type.kind === 'list') return `TYPE_${type.kind.toUpperCase()}`;
  return SCALARS[type.kind].name;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
