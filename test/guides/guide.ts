import { readdirSync, readFileSync } from 'node:fs';
import { lineAt } from '../tidy/source-file.ts';

const FOLDER = new URL('../../docs/guides/', import.meta.url);

/** What stands between two fences of a document. */
export interface Block {
  /** The first word after the fence: the language. */
  readonly language: string;
  /** What else stands there. */
  readonly role: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

export interface Guide {
  /** Of the file, in `docs/guides`. */
  readonly name: string;
  readonly text: string;
  /** In the order of the text. */
  readonly blocks: readonly Block[];
}

/** All pages of `docs/guides`. */
export function readGuides(): readonly Guide[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md'))
    .map(readGuide);
}

export function readGuide(name: string): Guide {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', role = '', content = ''] = match;
    return { language, role: role.trim(), text: content, line: lineAt(text, match.index) };
  });
  return { name, text, blocks };
}

/** The code of a guide in one language, block by block. */
export function codeOf(guide: Guide, language: string): readonly string[] {
  return guide.blocks.filter((block) => block.language === language).map(({ text }) => text);
}
