import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { ENVIRONMENT, LIMITS } from '@homing/server';
import { HomingProcess } from './homing-process.ts';

const DOCUMENT = new URL('../../../docs/config.md', import.meta.url);

it('docs/config.md describes every variable of the server in its own words', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  for (const [name, { description, default: value }] of Object.entries(ENVIRONMENT)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    const [, , described, defaults] = row?.split('|').map((cell) => cell.trim()) ?? [];
    assert.equal(described, description, name);
    assert.equal(defaults?.replaceAll('`', ''), value ?? 'none', name);
  }
  assert.match(text, new RegExp(`at most for ${LIMITS.stopMs / 1000} seconds`));
});

it('docs/config.md lists the options of every command', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const documented = [...text.matchAll(/^\| `(--[\w-]+)` \| ([^|]+) \|/gm)].flatMap(
    ([, option = '', commands = '']) =>
      [...commands.matchAll(/`(\w+)`/g)].map(([, command]) => `${command} ${option}`),
  );
  const offered: string[] = [];
  for (const command of ['dev', 'doctor', 'rewrap', 'serve', 'sim']) {
    await using help = new HomingProcess([command, '--help']);
    const { code, output } = await help.end();
    assert.equal(code, 0);
    const options = [...output.matchAll(/^ +(--[\w-]+)/gm)].map(([, option]) => option);
    offered.push(...options.map((option) => `${command} ${option}`));
  }
  assert.deepEqual(documented.toSorted(), offered.toSorted());
});
