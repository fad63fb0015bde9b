import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

describe('topics of a user', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  const change = (method: string, user: string, topic: string) =>
    network.backEnd.request(method, `/v1/users/${user}/topics/${topic}`);

  const topicsOf = async (installationId: string) =>
    (await network.backEnd.installation(installationId))['topics'];

  it('are subscribed wherever the user is signed in, once', async () => {
    const [phone, tablet] = [network.device(), network.device()];
    assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
    assertAnswered(await tablet.register(apnsToken(), 'anna'), 201);
    const first = await change('PUT', 'anna', 'news');
    assertAnswered(first, 200);
    assert.deepEqual(first.body, { installations: 2, changed: 2 });
    assert.deepEqual((await change('PUT', 'anna', 'news')).body, { installations: 2, changed: 0 });
    for (const { id } of [phone, tablet]) {
      assert.deepEqual(await topicsOf(id), [{ topic: 'news', scope: 'user' }]);
    }
    assert.match((await network.backEnd.timeline(phone.id)).join(' '), /Topic news was subscribed/);
  });

  it('end without touching what the device subscribed for itself', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'ben'), 201);
    const path = `/topics/news?seq=${device.nextSeq()}`;
    assertAnswered(await device.request('PUT', path, { scope: 'device' }), 200);
    assertAnswered(await change('PUT', 'ben', 'news'), 200);
    const ended = await change('DELETE', 'ben', 'news');
    assert.deepEqual(ended.body, { installations: 1, changed: 1 });
    assert.deepEqual(await topicsOf(device.id), [{ topic: 'news', scope: 'device' }]);
  });

  it('end with the logout', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'cleo'), 201);
    assertAnswered(await change('PUT', 'cleo', 'news'), 200);
    assertAnswered(await device.signOut(), 204);
    assert.deepEqual(await topicsOf(device.id), []);
  });

  it('need a known user, a proper name and a secret key', async () => {
    assertAnswered(await change('PUT', 'nobody', 'news'), 404);
    assertAnswered(await change('PUT', 'anna', 'not%20a%20topic'), 422);
    const asClient = await network.backEnd.request('PUT', '/v1/users/anna/topics/x', undefined, {
      authorization: `Bearer ${network.app.publishableKey}`,
    });
    assertAnswered(asClient, 401);
  });
});
