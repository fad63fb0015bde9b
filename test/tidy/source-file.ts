import type { Dirent } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A text file of the project. */
export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

const TEXT_FILES = '**/*.{ts,tsx,mjs,js,css,html,sql,lua,md,json,yaml,yml,sh,svg}';
/** Text without an ending that says so, or below a folder that a pattern skips. */
const OTHER_TEXT_FILES = ['.ci/*', '.*rc.json', 'deploy/**/*', '.github/**/*'];
const FOREIGN = new Set(['node_modules', 'dist', '.git', '.homing', 'coverage']);

/** Reads every text file of the project, without what is installed, built or written by a run. */
export async function readProject(root: string): Promise<readonly SourceFile[]> {
  const paths = new Set<string>();
  const patterns = [TEXT_FILES, ...OTHER_TEXT_FILES];
  const options = { cwd: root, exclude: isForeign, withFileTypes: true } as const;
  for await (const entry of glob(patterns, options)) {
    if (entry.isFile()) paths.add(join(entry.parentPath, entry.name));
  }
  const files = [...paths].toSorted().map(async (path) => ({
    path: path
      .slice(root.length + 1)
      .split(sep)
      .join('/'),
    text: await readFile(path, 'utf8'),
  }));
  return Promise.all(files);
}

function isForeign(entry: Dirent): boolean {
  return FOREIGN.has(entry.name);
}

/** Code that people write, as opposed to data and prose. */
export function isCode({ path }: SourceFile): boolean {
  return /\.(ts|tsx|mjs|js|sql|lua|css)$/.test(path);
}

/** TypeScript and JavaScript. */
export function isScript({ path }: SourceFile): boolean {
  return /\.(ts|tsx|mjs|js)$/.test(path);
}

/** Comments, and lines of one. Relies on the formatter, which lets them begin their lines. */
export function isComment(line: string): boolean {
  return /^\s*(\/\/|\/?\*|--)/.test(line);
}

const REGULAR_EXPRESSION =
  /(?<=[(,=:[\s])\/(?![*/\s])(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\/[a-z]*/g;

/**
 * The text with comments and the contents of quoted strings and regular expressions blanked, line
 * by line, so that what is left are names and punctuation, on the lines where they were.
 */
export function codeOnly({ text }: SourceFile): string {
  return text
    .split('\n')
    .map((line) =>
      isComment(line)
        ? ''
        : line
            .replaceAll(REGULAR_EXPRESSION, '//')
            .replaceAll(/'(?:[^'\\]|\\.)*'/g, "''")
            .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
            .replace(/\s\/\/\s.*$/, ''),
    )
    .join('\n');
}

/** The line, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
