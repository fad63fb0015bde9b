import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HMS_TOKEN_PATH } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { hmsToken } from '../device.ts';
import { startNetwork } from '../network.ts';

const DEVICES = 120;
/** So many pass the ownership check at a time. */
const SLICE = 100;

test('what is for everybody goes to Huawei in one call for each ownership check', async () => {
  await using network = await startNetwork();
  const devices = Array.from({ length: DEVICES }, () => network.device());
  for (const device of devices) assertAnswered(await device.register(hmsToken()), 201);
  const audience = { installations: devices.map(({ id }) => id) };
  const id = await network.backEnd.send({ audience, content: { title: 'We are closed today' } });
  await network.drain();
  assert.equal((await network.backEnd.report(id))['counts']?.['accepted'], DEVICES);
  const calls = network.hms.journal.entries().filter(({ path }) => path !== HMS_TOKEN_PATH);
  const sizes = calls.map(({ body }) => (body as HmsBody).message.token.length);
  assert.deepEqual(
    sizes.toSorted((a, b) => b - a),
    [SLICE, DEVICES - SLICE],
  );
});

interface HmsBody {
  readonly message: { readonly token: readonly string[] };
}
