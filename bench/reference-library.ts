import { createRequire } from 'node:module';

/** How to get the libraries that the benchmarks compare with. */
export const INSTALL_REFERENCES = 'npm ci --prefix bench/references';

const require = createRequire(new URL('references/package.json', import.meta.url));

/**
 * A library of `references/package.json`, which is no part of the workspace. Its caller says what
 * of it is used, so that the type check needs it as little as the tests do. Throws when it is not
 * installed.
 */
export function referenceLibrary(name: string): unknown {
  return require(name);
}

/** Those of the libraries that are not installed. */
export function missingLibraries(names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}
