// Checks all types. Code for pages and for service workers knows other globals than code for Node,
// and than each other, so that it is checked apart.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const PROJECTS = [
  '.',
  'packages/client/src/web',
  'packages/client/src/worker',
  'packages/client/test/web',
  'packages/client/test/worker',
] as const;

for (const project of PROJECTS) {
  const args = [COMPILER, '--noEmit', '--project', join(ROOT, project)];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
