import { glob } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';

const PATTERNS = ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/*.test.ts'];

/**
 * Folders whose files run one at a time, after all others. Those of the launcher start, kill and
 * time PostgreSQL servers by the dozen, and would see each other's load as slowness of their own.
 */
const ALONE = ['packages/local-postgres/test/'];

/** The test files of the project, split by how they may run. Paths are relative, with slashes. */
export interface TestFiles {
  readonly together: readonly string[];
  readonly alone: readonly string[];
}

/**
 * Finds the test files below a root. Filters narrow the list to files that match one of them: each
 * is a path (from where the command was called), or a part of one.
 */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<TestFiles> {
  const wanted = filters.map((filter) => normalFilter(root, filter));
  const found: string[] = [];
  for await (const path of glob(PATTERNS, { cwd: root, exclude: isForeign })) {
    const file = path.split(sep).join('/');
    if (wanted.length === 0 || wanted.some((part) => file.includes(part))) found.push(file);
  }
  found.sort();
  return {
    together: found.filter((file) => !runsAlone(file)),
    alone: found.filter(runsAlone),
  };
}

function normalFilter(root: string, filter: string): string {
  const path =
    isAbsolute(filter) || filter.startsWith('.') ? relative(root, resolve(filter)) : filter;
  return path.split(sep).join('/');
}

function isForeign(path: string): boolean {
  return path.endsWith('node_modules') || path.endsWith('dist');
}

function runsAlone(file: string): boolean {
  return ALONE.some((folder) => file.startsWith(folder));
}
