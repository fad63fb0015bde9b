import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken, type Device } from '../device.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

/** What a device or its owner switched off: stops pushes, and never touches the link. */
const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd, clock } = network;
const HOUR_MS = 3_600_000;
const UNAVAILABLE = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;

interface Phone {
  readonly device: Device;
  readonly token: ReturnType<typeof apnsToken>;
}

async function phoneOf(user: string): Promise<Phone> {
  const [device, token] = [network.device(), apnsToken()];
  assertAnswered(await device.register(token, user), 201);
  return { device, token };
}

async function prefer({ device }: Phone, preferences: object): Promise<void> {
  const path = `/preferences?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', path, preferences), 200);
}

async function allow({ device }: Phone, permission: string): Promise<void> {
  assertAnswered(await device.sync({ permission }), 200);
}

function send(user: string, more: Readonly<Record<string, unknown>> = {}) {
  return () => backEnd.sendToUsers([user], undefined, more);
}

interface LedgerRow {
  readonly installation_id: string;
  readonly state: string;
  readonly reason: string | null;
}

async function ledgerOf(notificationId: string): Promise<readonly LedgerRow[]> {
  return (await backEnd.deliveries(notificationId)) as unknown as readonly LedgerRow[];
}

/** Sends, and tells of each phone why it got nothing; null where the provider took the push. */
async function reasonsAfter(
  user: string,
  phones: readonly Phone[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<readonly (string | null)[]> {
  const id = await backEnd.sendToUsers([user], undefined, more);
  await network.drain();
  const rows = await ledgerOf(id);
  return phones.map(({ device }) => {
    const row = rows.find((one) => one.installation_id === device.id);
    assert.ok(row, `no delivery for ${device.id}`);
    return row.reason;
  });
}

describe('the permission', () => {
  test('denied stops what would be shown, keeps the link, and lets silent pushes through', async () => {
    const phone = await phoneOf('anna');
    await allow(phone, 'denied');
    assert.deepEqual(await reasonsAfter('anna', [phone]), ['permission_denied']);
    const { user } = (await backEnd.installation(phone.device.id)) as unknown as {
      user: { id: string };
    };
    assert.equal(user.id, 'anna');
    const silent = send('anna', { options: { silent: true } });
    assert.deepEqual(await tokensReached(network, silent), tokens(phone.token));
  });

  test('granted again lets everything through again, and each change is in the timeline', async () => {
    const phone = await phoneOf('ben');
    for (const permission of ['denied', 'provisional', 'granted']) await allow(phone, permission);
    assert.deepEqual(await tokensReached(network, send('ben')), tokens(phone.token));
    const sentences = await backEnd.timeline(phone.device.id);
    assert.deepEqual(
      sentences.filter((sentence) => sentence.startsWith('The permission')),
      ['denied', 'provisional', 'granted'].map(
        (permission) => `The permission to notify is now "${permission}".`,
      ),
    );
  });
});

describe('the preferences of a device', () => {
  test('off silences it, and on wakes it', async () => {
    const [phone, other] = [await phoneOf('cleo'), await phoneOf('cleo')];
    await prefer(phone, { mode: 'off' });
    assert.deepEqual(await reasonsAfter('cleo', [phone, other]), ['muted', null]);
    await prefer(phone, { mode: 'on' });
    assert.deepEqual(await reasonsAfter('cleo', [phone, other]), [null, null]);
  });

  test('muted until a time lasts until that time', async () => {
    const phone = await phoneOf('dora');
    const until = new Date(clock.now().getTime() + HOUR_MS).toISOString();
    await prefer(phone, { muted_until: until });
    assert.deepEqual(await reasonsAfter('dora', [phone]), ['muted']);
    await clock.advance(HOUR_MS);
    assert.deepEqual(await reasonsAfter('dora', [phone]), [null]);
  });

  test('a category that is off on the device is off whatever the user says', async () => {
    const [phone, other] = [await phoneOf('emil'), await phoneOf('emil')];
    await prefer(phone, { categories: { offers: false, news: true } });
    const preferences = { preferences: { categories: { offers: true, news: false } } };
    assertAnswered(await backEnd.request('PUT', '/v1/users/emil', preferences), 200);
    const by = (category: string) => reasonsAfter('emil', [phone, other], { category });
    assert.deepEqual(await by('offers'), ['opted_out', null]);
    assert.deepEqual(await by('news'), ['opted_out', 'opted_out']);
    assert.deepEqual(await by('orders'), [null, null]);
  });

  test('only this device silences the other devices of the same user', async () => {
    const [chosen, other] = [await phoneOf('fritz'), await phoneOf('fritz')];
    const stranger = await phoneOf('greta');
    await prefer(chosen, { mode: 'only_this_device' });
    assert.deepEqual(await reasonsAfter('fritz', [chosen, other]), [null, 'muted']);
    assert.deepEqual(await tokensReached(network, send('greta')), tokens(stranger.token));
    const dryRun = await backEnd.request('POST', '/v1/notifications/validate', {
      audience: { users: ['fritz'] },
      content: { title: 'Hello' },
    });
    assert.deepEqual(dryRun.body['exclusions'], { muted: 1 });
  });

  test('only this device speaks for nobody once its user has signed out there', async () => {
    const [chosen, other] = [await phoneOf('hans'), await phoneOf('hans')];
    await prefer(chosen, { mode: 'only_this_device' });
    assertAnswered(await chosen.device.signOut(), 204);
    assert.deepEqual(await tokensReached(network, send('hans')), tokens(other.token));
    assertAnswered(await chosen.device.signIn('ida'), 200);
    assert.deepEqual(await tokensReached(network, send('hans')), tokens(other.token));
  });

  test('only this device is not said by the next user of the same phone', async () => {
    const [shared, own] = [await phoneOf('lena'), await phoneOf('mario')];
    await prefer(shared, { mode: 'only_this_device' });
    assertAnswered(await shared.device.signOut(), 204);
    assertAnswered(await shared.device.signIn('mario'), 200);
    assert.deepEqual(await tokensReached(network, send('mario')), tokens(shared.token, own.token));
    await prefer(shared, { mode: 'only_this_device' });
    assert.deepEqual(await tokensReached(network, send('mario')), tokens(shared.token));
  });

  test('only this device is not said by a device that shows nothing', async () => {
    const [chosen, other] = [await phoneOf('nora'), await phoneOf('nora')];
    await prefer(chosen, { mode: 'only_this_device' });
    await allow(chosen, 'denied');
    assert.deepEqual(await tokensReached(network, send('nora')), tokens(other.token));
    await allow(chosen, 'granted');
    assert.deepEqual(await tokensReached(network, send('nora')), tokens(chosen.token));
    await clock.advance(HOUR_MS);
    const atMs = clock.now().getTime();
    network.apns.devices.set(chosen.token.value, { kind: 'unregistered', atMs });
    await backEnd.sendToUsers(['nora']);
    await network.drain();
    assert.deepEqual(await tokensReached(network, send('nora')), tokens(other.token));
  });

  test('what is not meant for a user is not stopped by where the user wants to read', async () => {
    const [chosen, other] = [await phoneOf('jana'), await phoneOf('jana')];
    await prefer(chosen, { mode: 'only_this_device' });
    const installations = [chosen.device.id, other.device.id];
    const general = () =>
      backEnd.send({ audience: { installations }, content: { title: 'We are closed today' } });
    assert.deepEqual(await tokensReached(network, general), tokens(chosen.token, other.token));
  });

  test('the word counts that is said before the push leaves, not the one of its acceptance', async () => {
    const [chosen, other] = [await phoneOf('karl'), await phoneOf('karl')];
    const match = { token: other.token.value };
    network.apns.faults.schedule({ times: Infinity, match, fault: UNAVAILABLE });
    const id = await backEnd.sendToUsers(['karl']);
    await network.drain();
    await prefer(chosen, { mode: 'only_this_device' });
    network.apns.faults.clear();
    await clock.advance(HOUR_MS);
    await network.drain();
    const rows = await ledgerOf(id);
    const becameOf = ({ device }: Phone) => {
      const row = rows.find((one) => one.installation_id === device.id);
      return [row?.state, row?.reason];
    };
    assert.deepEqual(becameOf(chosen), ['accepted', null]);
    assert.deepEqual(becameOf(other), ['skipped', 'muted']);
  });
});
