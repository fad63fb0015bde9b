import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestDatabase } from '../../../test/database.ts';
import { apnsToken } from '../../../test/device.ts';
import { Deployment } from './deployment.ts';
import { ScratchDirectory } from './scratch-directory.ts';

describe('homing serve, asked to stop while a push is under way', () => {
  let scratch: ScratchDirectory;

  before(async () => {
    scratch = await ScratchDirectory.create();
  });
  after(() => scratch[Symbol.asyncDispose]());

  it('is no longer ready, waits for the answer, records it and ends with 0', async () => {
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    await deployment.register('maria', apnsToken());
    await using homing = deployment.serve('all');
    const backEnd = await deployment.backEndOf(homing);
    assert.equal((await backEnd.get('/readyz')).status, 200);
    using hold = deployment.simulators.apns.faults.hold({}, 'answer');
    const notification = await backEnd.sendToUsers(['maria']);
    await hold.arrived();

    homing.signal('SIGTERM');
    let readiness = await backEnd.get('/readyz');
    while (readiness.status === 200) readiness = await backEnd.get('/readyz');
    assert.equal(readiness.status, 503);
    assert.match(JSON.stringify(readiness.body), /shutting down/);
    hold.release();
    const ending = await homing.end();

    assert.deepEqual([ending.code, ending.complaints], [0, '']);
    assert.equal(deployment.pushes().length, 1);
    const [delivery] = await deployment.backEnd.deliveries(notification);
    assert.equal(delivery?.['state'], 'accepted');
    assert.equal(delivery?.['possible_duplicate'], false);
  });

  it('ends at once for somebody who insists', async () => {
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    await deployment.register('maria', apnsToken());
    await using homing = deployment.serve('all');
    const backEnd = await deployment.backEndOf(homing);
    using hold = deployment.simulators.apns.faults.hold({}, 'answer');
    await backEnd.sendToUsers(['maria']);
    await hold.arrived();

    const over = new AbortController();
    const ended = homing.end().finally(() => over.abort());
    while (!over.signal.aborted) {
      homing.signal('SIGTERM');
      // The API's answers, of whatever kind, pace the signals.
      await backEnd.get('/readyz').catch(() => null);
    }
    assert.equal((await ended).code, 1);
  });
});
