import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { bundleClient } from '../../scripts/bundle-client.ts';

/** The SDK, built. */
export interface SdkFiles {
  /** The module that a page imports, as a site's own build makes it. */
  readonly module: string;
  /** What the server hands out, by file name. */
  readonly scripts: ReadonlyMap<string, Buffer>;
}

const MODULE = fileURLToPath(new URL('../../packages/client/src/web/index.ts', import.meta.url));

export async function buildSdkFiles(): Promise<SdkFiles> {
  return { module: await buildModule(), scripts: await buildScripts() };
}

async function buildModule(): Promise<string> {
  const { output } = await build({
    input: MODULE,
    platform: 'browser',
    tsconfig: false,
    write: false,
    output: { format: 'esm' },
  });
  return output[0].code;
}

async function buildScripts(): Promise<ReadonlyMap<string, Buffer>> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-sdk-'));
  try {
    const bundles = await bundleClient(directory);
    return new Map(
      await Promise.all(
        bundles.map(async ({ file }) => [basename(file), await readFile(file)] as const),
      ),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
