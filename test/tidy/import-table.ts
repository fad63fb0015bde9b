import { posix } from 'node:path';
import { codeNames, readTable } from './markdown-table.ts';
import { findImports } from './module-import.ts';
import { isScript, type SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

/** What each folder or package may import: folders, single files, and packages of ours. */
export type ImportTable = ReadonlyMap<string, readonly string[]>;

const SERVER = 'packages/server/src/';
/** Types of the contract are everybody's; its values are imported where the table says so. */
const CONTRACT = '@homing/protocol';

/**
 * Reads a table of `docs/architecture.md`: names in backticks in the first column may import those
 * in the second one. Throws when there is no such table.
 */
export function readImportTable(markdown: string, firstHeading: string): ImportTable {
  const rows = readTable(markdown, firstHeading);
  if (rows === null) throw new Error(`docs/architecture.md has no table of "${firstHeading}".`);
  return new Map(
    rows.flatMap(([names = '', allowed = '']) =>
      codeNames(names).map((name) => [name, codeNames(allowed)] as const),
    ),
  );
}

/**
 * Holds the imports between the folders of the server against the table. Files directly in `src`
 * are the composition root: they may import every folder, and no folder may import them.
 */
export function folderViolations(
  files: readonly SourceFile[],
  table: ImportTable,
): readonly Violation[] {
  return files.filter(isServerSource).flatMap((file) => {
    const { path } = file;
    const folder = folderOf(path);
    if (folder === null) return [];
    const allowed = table.get(folder);
    if (allowed === undefined) {
      return [{ path, line: 0, rule: `the table knows no folder "${folder}"` }];
    }
    return findImports(file).flatMap((found) => {
      const target = importTarget(path, found.specifier);
      if (target === null || target.startsWith(`${folder}/`)) return [];
      if (found.specifier === CONTRACT && found.typeOnly) return [];
      if (allowed.some((name) => target === name || target.startsWith(`${name}/`))) return [];
      return [{ path, line: found.line, rule: `${folder}/ may not import ${target}` }];
    });
  });
}

/** Holds the imports between packages against the table. */
export function packageViolations(
  files: readonly SourceFile[],
  table: ImportTable,
): readonly Violation[] {
  return files.filter(isPackageSource).flatMap((file) => {
    const { path } = file;
    const name = path.split('/')[1] ?? '';
    const allowed = table.get(name);
    if (allowed === undefined)
      return [{ path, line: 0, rule: `no package "${name}" in the table` }];
    return findImports(file).flatMap(({ specifier, line }) => {
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(path), specifier);
        const leaves = !target.startsWith(`packages/${name}/`);
        return leaves ? [{ path, line, rule: `an import by path leaves its package` }] : [];
      }
      const target = /^@homing\/([^/]+)/.exec(specifier)?.[1];
      if (target === undefined || target === name || allowed.includes(target)) return [];
      return [{ path, line, rule: `${name} may not import ${target}` }];
    });
  });
}

/** Cycles between folders of the server: each once, as `a → b → a`. */
export function folderCycles(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map<string, Set<string>>();
  for (const file of files.filter(isServerSource)) {
    const from = folderOf(file.path);
    if (from === null) continue;
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const { specifier } of findImports(file)) {
      const to = folderOf(SERVER + (importTarget(file.path, specifier) ?? ''));
      if (to !== null && to !== from && !to.startsWith('@')) targets.add(to);
    }
  }
  return findCycles(edges);
}

function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start !== -1) cycles.push([...trail.slice(start), node].join(' → '));
    if (start !== -1 || done.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of [...edges.keys()].toSorted()) visit(node, []);
  return cycles;
}

/** Folder and file below the server's sources, or a package of ours; null for everything else. */
function importTarget(path: string, specifier: string): string | null {
  if (specifier.startsWith('@homing/')) return specifier;
  if (!specifier.startsWith('.')) return null;
  return posix.relative(SERVER, posix.join(posix.dirname(path), specifier));
}

/** The folder of a server source; null for a file directly in `src`. */
function folderOf(path: string): string | null {
  const [folder = '', ...rest] = path.slice(SERVER.length).split('/');
  return rest.length === 0 ? null : folder;
}

function isServerSource(file: SourceFile): boolean {
  return file.path.startsWith(SERVER) && isScript(file);
}

function isPackageSource(file: SourceFile): boolean {
  return /^packages\/[^/]+\/src\//.test(file.path) && isScript(file);
}
