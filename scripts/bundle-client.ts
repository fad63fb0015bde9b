// Makes the two files that sites use without a build: a script for pages, and a service worker.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Absolute paths of all that went into it. */
  readonly modules: readonly string[];
}

const SOURCES = fileURLToPath(new URL('../packages/client/src/', import.meta.url));

const BUNDLES = { 'homing.js': 'web/homing.ts', 'worker.js': 'worker/worker.ts' } as const;

/** What had Web Push, Web Locks and IndexedDB for good; Safari on phones came last. */
const BROWSERS = ['chrome109', 'firefox115', 'safari16.4'];

/** Writes the bundles, minified, into a directory. Classic scripts, which any page can load. */
export async function bundleClient(directory: string): Promise<readonly Bundle[]> {
  const bundles: Bundle[] = [];
  for (const [name, source] of Object.entries(BUNDLES)) {
    const file = join(directory, name);
    const { output } = await build({
      input: join(SOURCES, source),
      platform: 'browser',
      tsconfig: false,
      transform: { target: BROWSERS },
      output: { file, format: 'iife', minify: true, comments: false },
    });
    const text = await readFile(file);
    bundles.push({
      file,
      bytes: text.length,
      gzipBytes: gzipSync(text, { level: 9 }).length,
      modules: output[0].moduleIds,
    });
  }
  return bundles;
}

/** `homing.js: 20000 bytes, 7000 gzipped`. */
export function bundleLine({ file, bytes, gzipBytes }: Bundle): string {
  return `${file}: ${bytes} bytes, ${gzipBytes} gzipped`;
}
