import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

const CONTENT = { title: 'Hello {{ name | default: "you" }}', body: 'Your parcel is on its way' };

describe('the dry run of a notification', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  const validate = (body: unknown) =>
    network.backEnd.request('POST', '/v1/notifications/validate', body);

  it('counts recipients by provider and platform and exclusions by reason', async () => {
    const [iphone, pixel, denied, muted] = [1, 2, 3, 4].map(() => network.device());
    assert.ok(iphone && pixel && denied && muted);
    assertAnswered(await iphone.register(apnsToken(), 'anna'), 201);
    assertAnswered(await iphone.sync({ device: { platform: 'ios', locale: 'de-CH' } }), 200);
    assertAnswered(await pixel.register(fcmToken(), 'anna'), 201);
    assertAnswered(await denied.register(apnsToken(), 'anna'), 201);
    assertAnswered(await denied.sync({ permission: 'denied' }), 200);
    assertAnswered(await muted.register(null, 'anna'), 201);
    const answer = await validate({
      audience: { users: ['anna', 'nobody'] },
      content: CONTENT,
      locales: { de: { title: 'Hallo' } },
      recipient_variables: { anna: { name: 'Anna' } },
    });
    assertAnswered(answer, 200);
    const { payload_bytes: bytes, samples, ...rest } = answer.body;
    assert.deepEqual(rest, {
      valid: true,
      user_bound: true,
      estimated: false,
      recipients: { 'apns/ios': 1, 'fcm/unknown': 1 },
      exclusions: { no_token: 1, permission_denied: 1 },
    });
    assert.deepEqual(Object.keys(bytes ?? {}).toSorted(), ['apns', 'fcm']);
    assert.ok(Object.values(bytes ?? {}).every((size) => Number(size) > 50));
    const body = CONTENT.body;
    assert.deepEqual(samples, [
      { title: 'Hallo', body },
      { title: 'Hello Anna', body },
    ]);
  });

  it('tells the bytes that the provider then receives', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'ben'), 201);
    const body = { audience: { users: ['ben'] }, content: CONTENT };
    const answer = await validate(body);
    const before = network.journal.counters.received;
    await network.backEnd.send(body);
    await network.drain();
    const [push] = network.journal.entries({ after: before });
    assert.equal(answer.body['payload_bytes']?.['apns'], push?.bodyBytes);
  });

  it('finds content that a provider would refuse', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'cleo'), 201);
    const audience = { users: ['cleo'] };
    const reserved = await validate({ audience, content: { title: 'x', data: { aps: 'y' } } });
    assert.equal(reserved.body['valid'], false);
    const large = await validate({ audience, content: { title: 'x', body: 'y'.repeat(4096) } });
    assert.equal(large.body['valid'], false);
    assert.ok(Number(large.body['payload_bytes']?.['apns']) > 4096);
  });

  it('shows the text also while nobody would get it', async () => {
    const answer = await validate({ audience: { users: ['stranger'] }, content: CONTENT });
    assertAnswered(answer, 200);
    assert.deepEqual(answer.body['recipients'], {});
    assert.deepEqual(answer.body['samples'], [{ title: 'Hello you', body: CONTENT.body }]);
  });

  it('reaches anonymous installations that are named', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken()), 201);
    const answer = await validate({ audience: { installations: [device.id] }, content: CONTENT });
    assert.equal(answer.body['user_bound'], false);
    assert.deepEqual(answer.body['recipients'], { 'apns/unknown': 1 });
  });

  it('refuses what a send would refuse', async () => {
    const broken = { audience: { users: ['anna'] }, content: { title: '{% if x %}' } };
    const [dry, real] = [
      await validate(broken),
      await network.backEnd.request('POST', '/v1/notifications', broken),
    ];
    assertAnswered(dry, 422);
    assert.deepEqual(dry.body['errors'], real.body['errors']);
  });

  it('stores and sends nothing', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), 'dora'), 201);
    const before = network.journal.counters.received;
    assertAnswered(await validate({ audience: { users: ['dora'] }, content: CONTENT }), 200);
    await network.drain();
    assert.equal(network.journal.counters.received, before);
    const exported = await network.backEnd.get('/v1/users/dora/export');
    assert.deepEqual(exported.body['notifications'], []);
  });
});
