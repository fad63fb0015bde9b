/** The part of an OpenAPI 3.1 document that the documentation page reads. */
export interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

export interface ApiOperation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content?: ApiContent };
  readonly responses?: Readonly<Record<string, ApiResponse>>;
}

export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: JsonSchema;
}

export interface ApiResponse {
  readonly description?: string;
  readonly content?: ApiContent;
}

export type ApiContent = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

/** The keywords of JSON Schema that the contract uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
}

export type Schemas = Readonly<Record<string, JsonSchema>>;

/** One line of a table of fields. */
export interface Field {
  /** `token.value`, `receipts[].kind`, or empty for the whole. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly note: string;
}

/** Deeper members are left to the linked document. */
const MAX_DEPTH = 5;

/**
 * Every field that a schema allows, in order, members of members included. The branches of a union
 * share one list: a field is required when each branch that can have members requires it.
 */
export function fieldsOf(schema: JsonSchema, schemas: Schemas): readonly Field[] {
  return membersOf(schema, schemas, '', 0);
}

function membersOf(
  schema: JsonSchema,
  schemas: Schemas,
  path: string,
  depth: number,
): readonly Field[] {
  if (depth > MAX_DEPTH) return [];
  const branches = branchesOf(schema, schemas).flatMap((branch) => {
    if (branch.items !== undefined) return [membersOf(branch.items, schemas, `${path}[]`, depth)];
    if (branch.properties === undefined) return [];
    return [objectMembers(branch, schemas, path === '' ? '' : `${path}.`, depth)];
  });
  return mergeFields(branches);
}

function objectMembers(
  object: JsonSchema,
  schemas: Schemas,
  prefix: string,
  depth: number,
): readonly Field[] {
  return Object.entries(object.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name;
    const field: Field = {
      path,
      type: typeText(member, schemas),
      required: object.required?.includes(name) ?? false,
      note: noteOf(resolve(member, schemas)),
    };
    return [field, ...membersOf(member, schemas, path, depth + 1)];
  });
}

function mergeFields(branches: readonly (readonly Field[])[]): readonly Field[] {
  const merged = new Map<string, Field>();
  for (const field of branches.flat()) {
    const known = merged.get(field.path);
    const types = known === undefined ? [] : known.type.split(' or ');
    const type = types.includes(field.type)
      ? types.join(' or ')
      : [...types, field.type].join(' or ');
    const isEverywhere = branches.every((fields) =>
      fields.some((one) => one.path === field.path && one.required),
    );
    merged.set(field.path, { ...(known ?? field), type, required: isEverywhere });
  }
  return [...merged.values()];
}

/** A schema in a few words: `string`, `"a" or "b"`, `array of object`. */
export function typeText(schema: JsonSchema, schemas: Schemas): string {
  const texts = branchesOf(schema, schemas).map((branch) => branchText(branch, schemas));
  return [...new Set(texts)].join(' or ');
}

function branchText(schema: JsonSchema, schemas: Schemas): string {
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.items !== undefined) return `array of ${typeText(schema.items, schemas)}`;
  if (schema.patternProperties !== undefined) return 'map';
  const type = [schema.type ?? 'any'].flat().join(' or ');
  return schema.format === undefined ? type : `${type} (${schema.format})`;
}

/** The alternatives of a schema with references followed; a plain schema is its only one. */
function branchesOf(schema: JsonSchema, schemas: Schemas): readonly JsonSchema[] {
  const resolved = resolve(schema, schemas);
  const branches = resolved.anyOf ?? resolved.oneOf;
  return branches === undefined
    ? [resolved]
    : branches.flatMap((branch) => branchesOf(branch, schemas));
}

/** Follows one reference by the last part of its pointer; an unknown one stands for anything. */
function resolve(schema: JsonSchema, schemas: Schemas): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  return Object.hasOwn(schemas, name) ? (schemas[name] ?? {}) : {};
}

function noteOf(schema: JsonSchema): string {
  const { description, minLength, maxLength, minimum, maximum, minItems, maxItems } = schema;
  return [
    description,
    boundsText(minLength, maxLength, 'characters'),
    boundsText(minimum, maximum, ''),
    boundsText(minItems, maxItems, 'entries'),
    schema.pattern === undefined ? undefined : `like ${schema.pattern}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ');
}

function boundsText(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return `at least ${least} ${unit}`.trimEnd();
  return `${least === undefined ? 'at most' : `${least} to`} ${most} ${unit}`.trimEnd();
}
