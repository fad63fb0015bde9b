import { codeNames, readTable } from './markdown-table.ts';
import { codeOnly, isScript, lineAt, type SourceFile } from './source-file.ts';
import type { Violation } from './violation.ts';

/** A word that the project does not use for one of its ideas. */
export interface RefusedWord {
  readonly word: string;
  readonly instead: string;
  /** Some words are refused as names only: prose needs them to say what we do not mean. */
  readonly inProse: boolean;
}

/** Quotes refused words in order to refuse them. */
const GLOSSARY = 'docs/glossary.md';

/** Reads the refused words from the glossary. Throws when it has no such table. */
export function readRefusedWords(markdown: string): readonly RefusedWord[] {
  const rows = readTable(markdown, 'refused');
  if (rows === null) throw new Error(`${GLOSSARY} has no table of refused words.`);
  return rows.flatMap(([words = '', where = '', instead = '']) =>
    codeNames(words).map((word) => ({ word, instead, inProse: where === 'names and prose' })),
  );
}

/** Refused words in the names that code uses, and in documents. */
export function wordViolations(
  file: SourceFile,
  refused: readonly RefusedWord[],
): readonly Violation[] {
  const { path } = file;
  const isProse = path.endsWith('.md') && path !== GLOSSARY;
  if (!isProse && !isScript(file)) return [];
  const text = isProse ? file.text : separateWords(codeOnly(file));
  return refused
    .filter((entry) => entry.inProse || !isProse)
    .flatMap(({ word, instead }) =>
      [...text.matchAll(new RegExp(`\\b${word}s?\\b`, 'gi'))].map((match) => ({
        path,
        line: lineAt(text, match.index),
        rule: `the glossary has another word for "${word}": ${instead}`,
      })),
    );
}

/** Splits `tenantRef` and `TENANT_REF` into words, within their line. */
function separateWords(code: string): string {
  return code.replaceAll(/(?<=[a-z\d])(?=[A-Z])|_/g, ' ');
}
