import { parseJson } from './parse-json.ts';
import { parseUserId } from './user-id.ts';
import { parseUuid } from './uuid.ts';

/** Who a line of an uploaded list names, under the customer's own id. */
export interface AudienceMember {
  readonly kind: 'user' | 'installation';
  readonly id: string;
  /** JSON; null where the line has none. */
  readonly variables: string | null;
}

export type ParsedLine =
  | { readonly kind: 'member'; readonly member: AudienceMember }
  /** `field` is empty where the line as a whole is at fault. */
  | { readonly kind: 'bad'; readonly field: string; readonly detail: string };

/**
 * Reads a line of an uploaded list, which is one object: `{"user":"42"}` or
 * `{"installation":"<uuid>"}`, either of them with `variables`.
 */
export function parseAudienceLine(bytes: Buffer): ParsedLine {
  const parsed = parseJson(bytes, 'the line');
  if (parsed.kind === 'invalid') return bad('', parsed.detail);
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return bad('', 'a line is one object');
  }
  const { user, installation, variables, ...others } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return bad(unknown, 'this field is not known here');
  if ((user === undefined) === (installation === undefined)) {
    return bad('', 'either "user" or "installation" is required');
  }
  const own = variablesOf(variables);
  if (own === undefined) return bad('variables', 'an object');
  return user === undefined ? installationOf(installation, own) : userOf(user, own);
}

function userOf(user: unknown, variables: string | null): ParsedLine {
  const id = typeof user === 'string' ? parseUserId(user) : null;
  if (id !== null) return { kind: 'member', member: { kind: 'user', id, variables } };
  return bad(
    'user',
    'a text of 1 to 255 characters, and not blank, "null", "undefined", "0" or "."',
  );
}

function installationOf(installation: unknown, variables: string | null): ParsedLine {
  const isText = typeof installation === 'string' && installation.length === 36;
  const id = isText ? parseUuid(installation) : null;
  if (id !== null) return { kind: 'member', member: { kind: 'installation', id, variables } };
  return bad('installation', 'a UUID');
}

/** Undefined when they are no object. */
function variablesOf(variables: unknown): string | null | undefined {
  if (variables === undefined) return null;
  const isObject = typeof variables === 'object' && variables !== null;
  return isObject && !Array.isArray(variables) ? JSON.stringify(variables) : undefined;
}

function bad(field: string, detail: string): ParsedLine {
  return { kind: 'bad', field, detail };
}
