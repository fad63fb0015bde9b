import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = process.env['HOMING_SHARED'] ?? join(REPOSITORY, '../shared');
const FILE = join(FOLDER, 'articles/001_e1966e95d09cf56f.txt');

/** The fenced blocks that name a language, counted from 0 in the order of the text. */
const BLOCK = /^```\w+\n([\s\S]*?)^```$/gm;

/**
 * Why the tests of the article's code cannot run, or false when they can: the text is not part of
 * the repository, so a bare clone does without them.
 */
export const articleIsMissing: string | false =
  !existsSync(FILE) && `${FILE} is missing; HOMING_SHARED names the folder that holds articles/`;

/** The code of one block, exactly as it is printed. */
export function readBlock(number: number): string {
  const blocks = [...readFileSync(FILE, 'utf8').matchAll(BLOCK)].map((match) => match[1]);
  const block = blocks[number];
  if (block === undefined) throw new Error(`The article has no block ${number}.`);
  return block;
}
