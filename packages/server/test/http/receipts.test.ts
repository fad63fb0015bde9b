import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

const MINUTE_MS = 60_000;

function receipt(notificationId: string, at: Date, kind = 'displayed') {
  return { notification_id: notificationId, kind, at: at.toISOString() };
}

describe('receipts of an installation', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  /** A device that got one notification, and the notification's id. */
  async function notifiedDevice(user: string) {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), user), 201);
    const notificationId = await network.backEnd.sendToUsers([user]);
    await network.drain();
    return { device, notificationId };
  }

  async function exportedReceipts(user: string) {
    const answer = await network.backEnd.get(`/v1/users/${user}/export`);
    assertAnswered(answer, 200);
    return answer.body['receipts'] as unknown as readonly { kind: string; at: string }[];
  }

  it('are stored once, however often they are reported', async () => {
    const { device, notificationId } = await notifiedDevice('anna');
    const at = network.clock.now();
    const receipts = [receipt(notificationId, at), receipt(notificationId, at, 'opened')];
    for (const attempt of ['first', 'repeated']) {
      const answer = await device.request('POST', '/receipts', { receipts });
      assertAnswered(answer, 200);
      assert.deepEqual(answer.body, { stored: 2, ignored: 0 }, attempt);
    }
    const kinds = (await exportedReceipts('anna')).map(({ kind }) => kind);
    assert.deepEqual(kinds.toSorted(), ['displayed', 'opened']);
  });

  it('of unknown, malformed and foreign notifications are counted and ignored', async () => {
    const { device, notificationId } = await notifiedDevice('ben');
    const { notificationId: anotherDevices } = await notifiedDevice('cleo');
    const at = network.clock.now();
    const answer = await device.request('POST', '/receipts', {
      receipts: [
        receipt(notificationId, at),
        receipt(anotherDevices, at),
        receipt(`ntf_${'0'.repeat(32)}`, at),
        receipt('nonsense', at),
      ],
    });
    assertAnswered(answer, 200);
    assert.deepEqual(answer.body, { stored: 1, ignored: 3 });
  });

  it('keep times between the notification and now, whatever the clock of the device says', async () => {
    const { device, notificationId } = await notifiedDevice('dora');
    const before = network.clock.now();
    const wrong = [
      receipt(notificationId, new Date(before.getTime() + 60 * MINUTE_MS), 'opened'),
      receipt(notificationId, new Date(0), 'displayed'),
      { ...receipt(notificationId, before, 'dismissed'), at: '0000-01-01T00:00:00Z' },
    ];
    assertAnswered(await device.request('POST', '/receipts', { receipts: wrong }), 200);
    const now = network.clock.now().getTime();
    const stored = await exportedReceipts('dora');
    assert.equal(stored.length, 3);
    for (const { at } of stored) {
      assert.ok(Date.parse(at) <= now && Date.parse(at) > now - MINUTE_MS, at);
    }
  });

  it('come from the device or its back end and from nobody else', async () => {
    const { device, notificationId } = await notifiedDevice('emil');
    const body = { receipts: [receipt(notificationId, network.clock.now())] };
    const path = `/v1/installations/${device.id}/receipts`;
    const byBackEnd = await network.backEnd.request('POST', path, body);
    assert.deepEqual(byBackEnd.body, { stored: 1, ignored: 0 });
    const stranger = network.device();
    const asStranger = await network.backEnd.request('POST', path, body, {
      authorization: `Bearer ${network.app.publishableKey}`,
      'homing-installation-secret': stranger.secret,
    });
    assertAnswered(asStranger, 401);
  });

  it('name a time that exists', async () => {
    const { device, notificationId } = await notifiedDevice('fritz');
    const leap = { notification_id: notificationId, kind: 'opened', at: '2016-12-31T23:59:60Z' };
    const answer = await device.request('POST', '/receipts', { receipts: [leap] });
    assertAnswered(answer, 422);
    assert.equal(answer.body['errors']?.['0']?.['pointer'], '/receipts/0/at');
  });
});
