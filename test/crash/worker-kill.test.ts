import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FCM_TOKEN_PATH } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { fcmToken } from '../device.ts';
import { startNetwork } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { SecondServer, startSecondServer } from '../second-server.ts';
import { untilFinished } from './until-finished.ts';

/** S59 allows so much for the work to be taken up again; a lease runs out after six seconds. */
const PATIENCE_MS = 10_000;

for (const successor of ['the same worker, started again', 'another worker'] as const) {
  test(`S59: what a killed worker had leased is gated again by ${successor}`, () =>
    replaceWorker(successor === 'another worker'));
}

async function replaceWorker(isAnother: boolean): Promise<void> {
  await using network = await startNetwork({ role: 'api' });
  const { clock, masterKey, fcm } = network;
  const config = { ...network.config, role: 'worker' } as const;
  await using worker = await startSecondServer({ config, masterKey, clock });
  const [token, kept] = [fcmToken(), fcmToken()];
  const [phone, tablet] = [network.device(), network.device()];
  assertAnswered(await phone.register(token, 'anna'), 201);
  assertAnswered(await tablet.register(kept, 'anna'), 201);

  // A worker asks for its access token once it has leased, and before it looks who may get a push.
  using hold = fcm.faults.hold({ path: FCM_TOKEN_PATH });
  const id = await network.backEnd.sendToUsers(['anna']);
  await hold.arrived();
  await worker.kill();
  assertAnswered(await phone.signIn('ben'), 200);
  hold.release();
  await using other = new SecondServer({ config, masterKey, clock });
  await (isAnother ? other : worker).start();

  await untilFinished(network.backEnd, [id], PATIENCE_MS);
  const report = await network.backEnd.report(id);
  assert.deepEqual(report['reasons'], { skipped: { owner_changed: 1 } });
  assert.equal(report['counts']?.['accepted'], 1);
  assert.deepEqual(
    acceptedPushes(network.journal).map((push) => push.token),
    [kept.value],
  );
}
