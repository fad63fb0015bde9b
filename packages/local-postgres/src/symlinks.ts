import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * npm packages cannot hold symbolic links, so the platform packages list theirs in
 * `native/pg-symlinks.json` and recreate them in an install script. We do it ourselves: install
 * scripts may be switched off, and without the links the dynamic loader finds no library.
 */
interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Creates the missing library links of a platform package's `native` directory.
 * Returns false when the place is not writable for us, so that a copy has to be made.
 */
export async function recreateSymlinks(nativeDirectory: string): Promise<boolean> {
  const list = join(nativeDirectory, 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // Packages for Windows need no links and bring no list.
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  for (const { source, target } of JSON.parse(text) as readonly LibraryLink[]) {
    // The list counts paths from the package's root; a copy of `native` may have another name.
    const link = join(nativeDirectory, relative('native', target));
    if (!(await createLink(relative(dirname(target), source), link))) return false;
  }
  return true;
}

async function createLink(pointsTo: string, link: string): Promise<boolean> {
  try {
    await symlink(pointsTo, link);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return true;
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  }
}
