import { lineAt, type SourceFile } from './source-file.ts';

/** One module that a file imports or exports from. */
export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
  /** Erased before the file runs. */
  readonly typeOnly: boolean;
}

const STATIC = /^(import|export)( type)?\b(?:[^;'"]*?\bfrom)?\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\('([^']+)'\)/g;

/** Finds what a file imports, statically or not. Relies on the formatter's quotes. */
export function findImports({ text }: SourceFile): readonly ModuleImport[] {
  const found = [...text.matchAll(STATIC)].map((match) => ({
    specifier: match[3] ?? '',
    line: lineAt(text, match.index),
    typeOnly: match[2] !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map((match) => ({
    specifier: match[1] ?? '',
    line: lineAt(text, match.index),
    typeOnly: false,
  }));
  return [...found, ...dynamic];
}
