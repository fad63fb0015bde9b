import { isScript, lineAt, type SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

/** Where SQL is written. The launcher has no schema; it asks its server about the server itself. */
const SQL_PLACES = [
  /^packages\/server\/src\/store\//,
  /^packages\/server\/src\/audience\/compile-selector\.ts$/,
  /^packages\/local-postgres\//,
];

/** A template whose tag is a database handle, whatever it holds: fragments count as well. */
const TAGGED = /\b(?:\w*[sS]ql|tx|db|database|queryable|transaction)(?:<[^`;]{0,200}>)?`/g;

/** A string of any kind that begins as a statement. */
const STATEMENT = new RegExp(
  '[\'"`]\\s*(?:select\\s[^\'"`]*\\sfrom\\s|insert\\s+into\\s|delete\\s+from\\s|' +
    'update\\s+\\w+\\s+(?:\\w+\\s+)?set\\s|with\\s+\\w+\\s+as\\s*\\(|truncate\\s+\\w|' +
    '(?:create|alter|drop)\\s+(?:table|index|database|type|function)\\s)',
  'gi',
);

/** SQL literals in the sources of a package outside the folders that are made for them. */
export function sqlViolations(file: SourceFile): readonly Violation[] {
  const { path, text } = file;
  const isSource = /^packages\/[^/]+\/src\//.test(path) && isScript(file);
  if (!isSource || SQL_PLACES.some((place) => place.test(path))) return [];
  const found = [...text.matchAll(TAGGED), ...text.matchAll(STATEMENT)];
  const lines = new Set(found.map((match) => lineAt(text, match.index)));
  return [...lines].map((line) => ({ path, line, rule: 'SQL is written in store/ only' }));
}
