import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Private keys and the like: readable by their owner only. */
const OWNER_ONLY = 0o600;

/** The text of a file, or null when there is none. */
export async function readKept(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a file whole or not at all: a crash between leaves the former one. */
export async function writeKept(path: string, text: string): Promise<void> {
  await rename(await writeDraft(path, text), path);
}

/**
 * Writes a file unless there is one, and returns the text that is there: of several processes that
 * start at once, all go on with what the first has written.
 */
export async function keepFirst(path: string, text: string): Promise<string> {
  const draft = await writeDraft(path, text);
  try {
    // Unlike a rename, a link never takes the place of a file that exists.
    await link(draft, path);
    return text;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return await readFile(path, 'utf8');
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, 'w', OWNER_ONLY);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  return draft;
}
