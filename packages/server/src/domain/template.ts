import type { Variables } from './notification.ts';

/** A text in which `{{ path }}` and `{{ path | default: "x" }}` stand for variables. */
const PLACEHOLDER =
  /\{\{\s*([A-Za-z_][\w.]*)\s*(?:\|\s*default:\s*(?:"([^"]*)"|'([^']*)')\s*)?\}\}/g;
const ANY_MARKUP = /\{\{|\}\}|\{%|%\}/;

/** What is wrong with a template, or null. Anything beyond plain placeholders is not taken yet. */
export function templateProblem(template: string): string | null {
  const rest = template.replaceAll(PLACEHOLDER, '');
  if (!ANY_MARKUP.test(rest)) return null;
  return 'only {{ path }} and {{ path | default: "text" }} can be used in a template';
}

/** True when the text is the same for everybody. */
function isPlainText(template: string): boolean {
  return !template.includes('{{');
}

/** Fills the placeholders; a missing variable without a default becomes empty text. */
export function fillTemplate(template: string, variables: Variables): string {
  if (isPlainText(template)) return template;
  return template.replaceAll(
    PLACEHOLDER,
    (_match, path: string, double: string | undefined, single: string | undefined) =>
      valueAt(variables, path) ?? double ?? single ?? '',
  );
}

/** Own properties only, so that a template cannot reach into prototypes. */
function valueAt(variables: Variables, path: string): string | null {
  let value: unknown = variables;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
