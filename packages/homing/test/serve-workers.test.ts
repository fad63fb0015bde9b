import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestDatabase } from '../../../test/database.ts';
import { fcmToken } from '../../../test/device.ts';
import { Deployment } from './deployment.ts';
import { ScratchDirectory } from './scratch-directory.ts';

const NOTIFICATIONS = 200;
/** One worker has no more transactional chunks than this under way at once. */
const CAPACITY_OF_ONE = 16;
const SENT_MS = 60_000;

describe('two homing serve --role worker beside one --role api', () => {
  it('share the work: each of 200 notifications is sent, and exactly once', async () => {
    await using scratch = await ScratchDirectory.create();
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    const phones = Array.from({ length: 10 }, fcmToken);
    for (const [index, phone] of phones.entries())
      await deployment.register(`user ${index}`, phone);
    await using api = deployment.serve('api');
    await using one = deployment.serve('worker');
    await using other = deployment.serve('worker');
    const backEnd = await deployment.backEndOf(api);
    for (const worker of [one, other]) await worker.says(/^Homing works\.$/m);

    using hold = deployment.simulators.fcm.faults.hold();
    const notifications: string[] = [];
    while (notifications.length < NOTIFICATIONS) {
      const user = `user ${notifications.length % phones.length}`;
      notifications.push(await backEnd.sendToUsers([user]));
    }
    await hold.arrived(CAPACITY_OF_ONE + 1);
    hold.release();
    await deployment.pushesArrived(NOTIFICATIONS, SENT_MS);
    for (const process of [api, one, other]) assert.equal((await process.stop()).code, 0);

    const received = deployment.pushes().map((push) => JSON.stringify(push.body));
    assert.equal(received.length, NOTIFICATIONS);
    assert.equal(new Set(received).size, NOTIFICATIONS);
    for (const notification of notifications) {
      const report = await deployment.backEnd.report(notification);
      assert.equal(report['status'], 'finished', notification);
      assert.equal(report['counts']?.['accepted'], 1, notification);
      assert.equal(report['possible_duplicates'], 0, notification);
    }
  });
});
