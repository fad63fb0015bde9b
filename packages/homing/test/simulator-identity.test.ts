import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadSimulatorIdentity } from '../src/simulator-identity.ts';
import { ScratchDirectory } from './scratch-directory.ts';

describe('the identity of the simulators', () => {
  it('is the same one after a restart', async () => {
    await using scratch = await ScratchDirectory.create();
    const file = join(scratch.next(), 'simulators.json');
    const { authority, ...made } = await loadSimulatorIdentity(file);
    const { authority: keptAuthority, ...kept } = await loadSimulatorIdentity(file);
    assert.deepEqual(kept, made);
    assert.equal(keptAuthority.certificatePem, authority.certificatePem);
  });

  it('gets once what a file of an earlier version lacks, and keeps the rest', async () => {
    await using scratch = await ScratchDirectory.create();
    const file = join(scratch.next(), 'simulators.json');
    const made = await loadSimulatorIdentity(file);
    const { vapidKeys, ...earlier } = JSON.parse(await readFile(file, 'utf8')) as {
      readonly vapidKeys: unknown;
    };
    assert.deepEqual(vapidKeys, made.vapidKeys);
    await writeFile(file, JSON.stringify(earlier));
    const completed = await loadSimulatorIdentity(file);
    assert.notDeepEqual(completed.vapidKeys, made.vapidKeys);
    assert.deepEqual(completed.apnsKey, made.apnsKey);
    assert.deepEqual((await loadSimulatorIdentity(file)).vapidKeys, completed.vapidKeys);
  });
});
