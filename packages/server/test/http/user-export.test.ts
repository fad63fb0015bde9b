import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { tokenFingerprint } from '../../../../packages/server/src/domain/address-key.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

describe('the export of a user', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  it('holds the record, devices, links, events, notifications, deliveries and receipts', async () => {
    const device = network.device();
    const token = apnsToken();
    const { backEnd } = network;
    assertAnswered(await device.register(token, 'anna'), 201);
    const profile = { attributes: { city: 'Bern' } };
    assertAnswered(await backEnd.request('PUT', '/v1/users/anna', profile), 200);
    const id = await backEnd.sendToUsers(
      ['anna'],
      { title: 'Parcel {{ n }}' },
      {
        recipient_variables: { anna: { n: '12345' } },
      },
    );
    await network.drain();
    const at = network.clock.now().toISOString();
    const receipts = [{ notification_id: id, kind: 'opened', at }];
    assertAnswered(await device.request('POST', '/receipts', { receipts }), 200);

    const answer = await backEnd.get('/v1/users/anna/export');
    assertAnswered(answer, 200);
    const { user, links, events, notifications, deliveries, receipts: kept } = answer.body;
    assert.deepEqual(user?.['attributes'], profile.attributes);
    const masked = user?.['installations']?.['0']?.['token']?.['masked'];
    assert.equal(masked, tokenFingerprint(token.value));
    assert.equal(links?.['0']?.['installation_id'], device.id);
    const kinds = (events as unknown as readonly { kind: string }[]).map(({ kind }) => kind);
    assert.ok(kinds.includes('user.attached') && kinds.includes('token.attached'), kinds.join());
    assert.deepEqual(notifications?.['0']?.['own_variables'], { n: '12345' });
    assert.equal(deliveries?.['0']?.['notification_id'], id);
    assert.equal(deliveries?.['0']?.['state'], 'accepted');
    assert.equal(kept?.['0']?.['kind'], 'opened');
    assert.doesNotMatch(JSON.stringify(answer.body), new RegExp(token.value));
  });

  it('leaves out what another user did on the same device', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'ben'), 201);
    network.clock.advance(1000);
    assertAnswered(await device.signOut(), 204);
    network.clock.advance(1000);
    assertAnswered(await device.signIn('cleo'), 200);
    await network.backEnd.sendToUsers(['cleo']);
    const everyoneHere = { installations: [device.id] };
    await network.backEnd.send({ audience: everyoneHere, content: { title: 'News' } });
    await network.drain();
    const [bens, cleos] = [
      await network.backEnd.get('/v1/users/ben/export'),
      await network.backEnd.get('/v1/users/cleo/export'),
    ];
    assert.deepEqual(bens.body['deliveries'], []);
    assert.equal(bens.body['links']?.['0']?.['ended_by'], 'logout');
    assert.doesNotMatch(JSON.stringify(bens.body), /cleo/);
    assert.equal(Object.keys(cleos.body['deliveries'] ?? {}).length, 2);
    assert.doesNotMatch(JSON.stringify(cleos.body), /"ben"/);
  });

  it('of an unknown user is not found', async () => {
    assertAnswered(await network.backEnd.get('/v1/users/nobody/export'), 404);
  });
});
