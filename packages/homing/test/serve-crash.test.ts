import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLocalPostgres } from '@homing/local-postgres';
import { createTestDatabase } from '../../../test/database.ts';
import { apnsToken } from '../../../test/device.ts';
import { untilAnswered } from '../../../test/crash/until-answered.ts';
import { Deployment } from './deployment.ts';
import { ScratchDirectory } from './scratch-directory.ts';

/** A lease of six seconds has to run out first; the rest is room for a slow machine. */
const TAKE_OVER_MS = 20_000;

describe('homing serve, killed with -9 between 202 and delivery', () => {
  let scratch: ScratchDirectory;

  before(async () => {
    scratch = await ScratchDirectory.create();
  });
  after(() => scratch[Symbol.asyncDispose]());

  it('delivers once what nobody had begun with when the API was killed', async () => {
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    const phone = apnsToken();
    await deployment.register('maria', phone);
    await using killed = deployment.serve('api');
    const notification = await (await deployment.backEndOf(killed)).sendToUsers(['maria']);
    await killed.kill();
    assert.deepEqual(deployment.pushes(), []);

    await using restarted = deployment.serve('all');
    const pushes = await deployment.pushesArrived(1, TAKE_OVER_MS);
    assert.deepEqual(
      pushes.map((push) => push.token),
      [phone.value],
    );
    assert.equal((await restarted.stop()).code, 0);
    const [delivery] = await deployment.backEnd.deliveries(notification);
    assert.equal(delivery?.['state'], 'accepted');
    assert.equal(delivery?.['possible_duplicate'], false);
    assert.equal(deployment.pushes().length, 1);
  });

  it('repeats, under the same id and marked, a push that was under way', async () => {
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    await deployment.register('maria', apnsToken());
    await using killed = deployment.serve('all');
    const backEnd = await deployment.backEndOf(killed);
    // APNs has taken it, and its answer never reaches the process that asked.
    using hold = deployment.simulators.apns.faults.hold({}, 'answer');
    const notification = await backEnd.sendToUsers(['maria']);
    await hold.arrived();
    await killed.kill();

    await using restarted = deployment.serve('all');
    await restarted.says(/^Homing serves/m);
    hold.release();
    const pushes = await deployment.pushesArrived(2, TAKE_OVER_MS);
    assert.equal((await restarted.stop()).code, 0);
    const ids = pushes.map((push) => push.headers['apns-id']);
    assert.equal(ids.length, 2);
    assert.equal(typeof ids[0], 'string');
    assert.equal(ids[0], ids[1]);
    const [delivery] = await deployment.backEnd.deliveries(notification);
    assert.equal(delivery?.['state'], 'accepted');
    assert.equal(delivery?.['possible_duplicate'], true);
    const report = await deployment.backEnd.report(notification);
    assert.equal(report['possible_duplicates'], 1);
    assert.equal(report['status'], 'finished');
  });

  it('delivers what it had accepted although PostgreSQL was killed right after, too', async () => {
    const directory = scratch.next();
    await using stack = new AsyncDisposableStack();
    const postgres = stack.use(await startLocalPostgres({ directory }));
    const deployment = stack.use(await Deployment.create(scratch, postgres.url));
    const phone = apnsToken();
    await deployment.register('maria', phone);
    await using killed = deployment.serve('api');
    const notification = await (await deployment.backEndOf(killed)).sendToUsers(['maria']);
    process.kill(postgres.pid, 'SIGKILL');
    await killed.kill();
    await postgres.exited;

    const recovered = stack.use(await startLocalPostgres({ directory }));
    assert.equal(recovered.url, postgres.url);
    await using restarted = deployment.serve('all');
    const pushes = await deployment.pushesArrived(1, TAKE_OVER_MS);
    assert.deepEqual(
      pushes.map((push) => push.token),
      [phone.value],
    );
    assert.equal((await restarted.stop()).code, 0);
    const [delivery] = await deployment.backEnd.deliveries(notification);
    assert.equal(delivery?.['state'], 'accepted');
    assert.equal(delivery?.['possible_duplicate'], false);
  });

  it('outlives a PostgreSQL that was killed while a push was under way', async () => {
    const directory = scratch.next();
    await using stack = new AsyncDisposableStack();
    const postgres = stack.use(await startLocalPostgres({ directory }));
    const deployment = stack.use(await Deployment.create(scratch, postgres.url));
    await deployment.register('maria', apnsToken());
    await using homing = deployment.serve('all');
    const backEnd = await deployment.backEndOf(homing);
    using hold = deployment.simulators.apns.faults.hold({}, 'answer');
    const notification = await backEnd.sendToUsers(['maria']);
    await hold.arrived();
    process.kill(postgres.pid, 'SIGKILL');
    await postgres.exited;
    hold.release();
    await deployment.pushesArrived(1, TAKE_OVER_MS);

    stack.use(await startLocalPostgres({ directory }));
    // Connections that died are only missed when the process comes to look at them.
    await untilAnswered(() => backEnd.get('/readyz'));
    const second = await backEnd.sendToUsers(['maria']);
    const pushes = await deployment.pushesArrived(3, TAKE_OVER_MS);
    assert.equal(new Set(pushes.map((push) => push.headers['apns-id'])).size, 2);
    assert.equal((await homing.stop()).code, 0);
    assert.equal((await deployment.backEnd.report(notification))['possible_duplicates'], 1);
    assert.equal((await deployment.backEnd.report(second))['possible_duplicates'], 0);
  });
});
