// Builds what is published: each package's `dist`, in the order in which they depend on each other,
// so that every package compiles against the declarations of the ones before it.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleClient, bundleLine } from './bundle-client.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = [
  'protocol',
  'h2',
  'client',
  'node',
  'local-postgres',
  'simulators',
  'server',
  'homing',
] as const;
/** Compiled apart, because their code knows other globals. */
const FURTHER_PROJECTS: Readonly<Record<string, readonly string[]>> = {
  client: ['tsconfig.build.web.json', 'tsconfig.build.worker.json'],
};
/** Files that programs read at run time and that the compiler does not know. */
const ASSETS: Readonly<Record<string, readonly string[]>> = { server: ['store/migrations'] };
const COMPILER = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

for (const name of PACKAGES) build(name);
for (const bundle of await bundleClient(join(ROOT, 'packages/client/dist'))) {
  console.log(bundleLine(bundle));
}

function build(name: string): void {
  const directory = join(ROOT, 'packages', name);
  rmSync(join(directory, 'dist'), { recursive: true, force: true });
  for (const project of ['tsconfig.build.json', ...(FURTHER_PROJECTS[name] ?? [])]) {
    compile(join(directory, project));
  }
  for (const asset of ASSETS[name] ?? []) {
    cpSync(join(directory, 'src', asset), join(directory, 'dist', asset), { recursive: true });
  }
  console.log(`built packages/${name}`);
}

function compile(project: string): void {
  const { status } = spawnSync(process.execPath, [COMPILER, '--project', project], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}
