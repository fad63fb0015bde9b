// Runs a TypeScript entry point on the Node version that the project pins.
//
// This is the one file that the machine's own Node (20 or newer) executes, so it is plain
// JavaScript and imports nothing of ours. It installs the dependencies when they are missing or
// older than the lockfile, then hands over to the Node 24 binary that was installed with them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: node scripts/launch.mjs ENTRY [ARGUMENT...]');
  process.exit(2);
}

installIfNeeded();
handOver(pinnedNode(), ['--conditions=source', '--no-warnings', join(root, entry), ...args]);

function installIfNeeded() {
  // npm writes this marker last, so an interrupted installation counts as missing.
  const marker = join(root, 'node_modules', '.package-lock.json');
  const lockfile = join(root, 'package-lock.json');
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lockfile).mtimeMs) return;
  console.error('homing: installing dependencies (npm ci)');
  const windows = process.platform === 'win32';
  const options = { cwd: root, stdio: ['ignore', 2, 2], shell: windows };
  const { status } = spawnSync(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    options,
  );
  if (status !== 0) {
    console.error('homing: npm ci failed; run it by hand to see why');
    process.exit(1);
  }
}

function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.cmd' : 'node';
  const pinned = join(root, 'node_modules', '.bin', name);
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) < 24) {
    console.error(
      `homing: no Node 24 binary is published for ${process.platform}-${process.arch}; ` +
        'install Node 24 or newer and run this again',
    );
    process.exit(1);
  }
  return process.execPath;
}

function handOver(node, argv) {
  // Replacing the process keeps its pid, so signals and exit codes need no forwarding.
  if (process.platform !== 'win32' && typeof process.execve === 'function') {
    process.execve(node, [node, ...argv], process.env);
  }
  const child = spawn(node, argv, { stdio: 'inherit', shell: process.platform === 'win32' });
  // A terminal signals the whole group itself; forwarding twice is harmless.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
