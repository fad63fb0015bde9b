import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

const FAILED = 'The system of the device gave the app no token';

async function failures(device: Device): Promise<readonly string[]> {
  const lines = await network.backEnd.timeline(device.id);
  return lines.filter((line) => line.startsWith(FAILED));
}

test('a token that the system fails to give stands in the timeline, once for each code', async () => {
  const device = network.device();
  const unavailable = { code: 'SERVICE_NOT_AVAILABLE', detail: 'no Google Play services' };
  assertAnswered(await device.sync({ token_error: unavailable }), 201);
  assertAnswered(await device.sync({ token_error: unavailable }), 200);
  assertAnswered(await device.sync({ token_error: { code: 'SERVICE_NOT_AVAILABLE' } }), 200);
  const late = await device.sync({ token_error: { code: 'AUTHENTICATION_FAILED' } });
  assertAnswered(late, 200);
  assert.deepEqual(late.body['installation']?.['token_error'], {
    code: 'AUTHENTICATION_FAILED',
    detail: null,
  });
  assert.deepEqual(await failures(device), [
    `${FAILED}: SERVICE_NOT_AVAILABLE.`,
    `${FAILED}: AUTHENTICATION_FAILED.`,
  ]);
});

test('it is over with the token, and told again when it comes back', async () => {
  const device = network.device();
  const error = { code: 'TOO_MANY_REGISTRATIONS' };
  assertAnswered(await device.sync({ token_error: error }), 201);
  assertAnswered(await device.sync({ token: apnsToken(), token_error: null }), 200);
  assert.equal((await network.backEnd.installation(device.id))['token_error'], null);
  assertAnswered(await device.sync({ permission: 'granted' }), 200);
  assert.equal((await failures(device)).length, 1);
  assertAnswered(await device.sync({ token_error: error }), 200);
  assert.equal((await failures(device)).length, 2);
  const kept = (await network.backEnd.installation(device.id))['token'];
  assert.ok(kept, 'the token that is held may still be good');
});

test('it is ordered with what else is known of the device', async () => {
  const device = network.device();
  assertAnswered(await device.sync({ seq: 5, token_error: { code: 'ONE' } }), 201);
  const late = await device.sync({ seq: 4, token_error: { code: 'TWO' } });
  assert.equal(late.body['reason']?.['device'], 'superseded', JSON.stringify(late.body));
  assertProblem(await device.sync({ seq: 5, token_error: { code: 'TWO' } }), 'installation_forked');
  assertProblem(
    await device.sync({ seq: 6, token_error: { code: '' } }),
    'validation_failed',
    '/token_error/code',
  );
  assert.equal((await failures(device)).length, 1);
});
