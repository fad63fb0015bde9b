// Builds what is published: each package's `dist`, in the order in which they depend on each other,
// so that every package compiles against the declarations of the ones before it.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['protocol', 'node', 'local-postgres', 'simulators', 'server', 'homing'] as const;
/** Files that programs read at run time and that the compiler does not know. */
const ASSETS: Readonly<Record<string, readonly string[]>> = { server: ['store/migrations'] };
const COMPILER = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

for (const name of PACKAGES) build(name);

function build(name: string): void {
  const directory = join(ROOT, 'packages', name);
  rmSync(join(directory, 'dist'), { recursive: true, force: true });
  const project = join(directory, 'tsconfig.build.json');
  const { status } = spawnSync(process.execPath, [COMPILER, '--project', project], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  for (const asset of ASSETS[name] ?? []) {
    cpSync(join(directory, 'src', asset), join(directory, 'dist', asset), { recursive: true });
  }
  console.log(`built packages/${name}`);
}
