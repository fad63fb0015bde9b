import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAnswered } from '../../test/answered.ts';
import { apnsToken } from '../../test/device.ts';
import { startNetwork, type Network } from '../../test/network.ts';
import { tokens, tokensReached } from '../../test/pushes.ts';

const SCRIPT = fileURLToPath(new URL('fulfilment.ts', import.meta.url));

interface Run {
  readonly exitCode: number | string;
  readonly output: string;
  readonly complaint: string;
}

/** Runs the script as an operator would: another process that knows a URL and a key. */
function runFulfilment(network: Network, parcel: string, key?: string): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const env = { HOMING_URL: network.url, HOMING_SECRET_KEY: key ?? network.app.secretKey };
  execFile(process.execPath, [SCRIPT, parcel], { env }, (error, stdout, stderr) =>
    resolve({ exitCode: error?.code ?? 0, output: stdout.trim(), complaint: stderr.trim() }),
  );
  return promise;
}

test('the customer is told once that the order has shipped, however often it is said', async () => {
  await using network = await startNetwork();
  const [phone, stranger] = [network.device(), network.device()];
  const token = apnsToken();
  assertAnswered(await phone.register(token, 'sara'), 201);
  assertAnswered(await stranger.register(apnsToken(), 'maria'), 201);

  const runs: Run[] = [];
  const reached = await tokensReached(network, async () => {
    runs.push(await runFulfilment(network, 'parcel-7001'));
    runs.push(await runFulfilment(network, 'parcel-7001'));
  });

  assert.deepEqual(reached, tokens(token));
  const [first, second] = runs;
  assert.match(first?.output ?? '', /^Customer sara is told that order 12345 has shipped \(ntf_/);
  assert.match(second?.output ?? '', /^Customer sara was told before that order 12345 has shipped/);
  const [shown] = network.apns.devices.view(token.value).shown;
  assert.match(JSON.stringify(shown?.payload), /"Your order has shipped"/);
  assert.match(JSON.stringify(shown?.payload), /"Order 12345 is on its way to you\."/);
});

test('a parcel of no order, and a key that is none, end in a complaint and no push', async () => {
  await using network = await startNetwork();
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);

  const reached = await tokensReached(network, async () => {
    const lost = await runFulfilment(network, 'parcel-1');
    assert.deepEqual(lost, {
      exitCode: 1,
      output: '',
      complaint: 'No order has a parcel "parcel-1".',
    });
    const refused = await runFulfilment(network, 'parcel-7001', 'hmg_sk_test_none');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.complaint, /^Homing answered 401: .*"invalid_credentials"/);
  });

  assert.deepEqual(reached, []);
});
