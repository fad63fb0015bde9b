import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { SimpleClient } from '../http/simple-client.ts';
import { untilBlocked } from './until-blocked.ts';

/** What is left of a removed installation, and what becomes of its id. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd, clock, homing } = network;
const { db } = homing;

const DAY_MS = 86_400_000;

/** An installation that was removed so long ago that its id is about to be forgotten. */
async function longGone(): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(fcmToken(), 'anna'), 201);
  assertAnswered(await phone.request('DELETE', ''), 204);
  await clock.advance((LIMITS.tombstoneDays + 1) * DAY_MS);
  return phone;
}

function report(phone: Device) {
  const packet = { token: fcmToken(), user: { id: 'ben' } };
  return backEnd.request('PUT', `/v1/installations/${phone.id}`, packet);
}

test('after a removal no assertion from before signs in on what comes back', async () => {
  const client = new SimpleClient(network.url, network.app);
  const body = { token: fcmToken().value, userId: 'anna', deviceId: 'phone-1' };
  const proof = () => network.issuer.sign(network.app.id, 'anna');
  const [used, unused] = [await proof(), await proof()];
  assertAnswered(await client.register(body, used), 200);
  const path = `/v1/installations/${client.installationId(body.deviceId)}`;
  assertAnswered(await backEnd.request('DELETE', path), 204);
  for (const late of [used, unused]) {
    assertProblem(await client.register(body, late), 'assertion_invalid');
    assert.equal((await backEnd.get(path)).body['user'], null);
  }
  await clock.advance(1_000);
  assertAnswered(await client.register(body, await proof()), 200);
  assert.equal((await backEnd.get(path)).body['user']?.['id'], 'anna');
});

test('a back end that reports an id while it is being forgotten enrols it anew', async () => {
  const phone = await longGone();
  const [forgetting, reporting] = await db.begin(async (tx) => {
    await tx`select 1 from installation where id = ${phone.id} for update`;
    const forgotten = homing.maintenance.run();
    await untilBlocked(db, 1);
    const reported = report(phone);
    await untilBlocked(db, 2);
    return [[forgotten], [reported]] as const;
  });
  await Promise.all(forgetting);
  const [answer] = await Promise.all(reporting);
  assertAnswered(answer, 201);
  assert.equal((await backEnd.installation(phone.id))['user']?.['id'], 'ben');
});

test('one that a back end brought back in the meantime is not forgotten', async () => {
  const phone = await longGone();
  const [reporting, forgetting] = await db.begin(async (tx) => {
    await tx`select 1 from installation where id = ${phone.id} for update`;
    const reported = report(phone);
    await untilBlocked(db, 1);
    const forgotten = homing.maintenance.run();
    await untilBlocked(db, 2);
    return [[reported], [forgotten]] as const;
  });
  const [answer] = await Promise.all(reporting);
  await Promise.all(forgetting);
  assertAnswered(answer, 200);
  assert.equal((await backEnd.installation(phone.id))['user']?.['id'], 'ben');
});

test('an id that was forgotten is new to everybody', async () => {
  const phone = await longGone();
  await homing.maintenance.run();
  assertAnswered(await report(phone), 201);
  assert.equal((await backEnd.installation(phone.id))['last_user'], null);
  const other = await longGone();
  await homing.maintenance.run();
  assertAnswered(await other.register(fcmToken(), 'anna'), 201);
});
