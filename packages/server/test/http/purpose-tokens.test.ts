import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { startNetwork, TOPIC, type Network } from '../../../../test/network.ts';

interface ExportedToken {
  readonly purpose: string;
  readonly activity_id: string | null;
  readonly topic: string;
  readonly environment: string;
}

/** As long as the update token of a Live Activity. */
function newToken(): string {
  return randomBytes(40).toString('hex');
}

function activity(n: number): object {
  return { value: newToken(), activity_id: `activity-${n}` };
}

function put(device: Device, purpose: string, seq: number, body: object): Promise<Answer> {
  return device.request('PUT', `/purpose-tokens/${purpose}?seq=${seq}`, body);
}

describe('purpose tokens', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  async function signedIn(user: string): Promise<Device> {
    const device = network.device();
    assertAnswered(await device.register(apnsToken(), user), 201);
    return device;
  }

  async function heldBy(user: string): Promise<readonly ExportedToken[]> {
    const answer = await network.backEnd.get(`/v1/users/${user}/export`);
    assertAnswered(answer, 200);
    return answer.body['purpose_tokens'] as unknown as readonly ExportedToken[];
  }

  it("take environment and bundle id from the app's credential and get the topic of their purpose", async () => {
    const device = await signedIn('anna');
    assertAnswered(await put(device, 'voip', 5, { value: newToken() }), 200);
    const topic = `${TOPIC}.voip`;
    assertAnswered(await put(device, 'push_to_start', 6, { value: newToken() }), 200);
    const match = { value: newToken(), activity_id: 'match-7', topic: TOPIC };
    assertAnswered(await put(device, 'live_activity', 7, match), 200);
    assertAnswered(await put(device, 'voip', 8, { value: newToken(), topic }), 200);
    const held = (await heldBy('anna')).map((one) => [one.purpose, one.activity_id, one.topic]);
    assert.deepEqual(held, [
      ['live_activity', 'match-7', `${TOPIC}.push-type.liveactivity`],
      ['push_to_start', null, `${TOPIC}.push-type.liveactivity`],
      ['voip', null, `${TOPIC}.voip`],
    ]);
  });

  it('are ordered by their own sequence: a late report changes nothing', async () => {
    const device = await signedIn('ben');
    const [first, second] = [{ value: newToken() }, { value: newToken() }];
    assert.deepEqual((await put(device, 'voip', 20, second)).body, { applied: true, seq: 20 });
    assert.deepEqual((await put(device, 'voip', 20, second)).body, { applied: true, seq: 20 });
    assert.deepEqual((await put(device, 'voip', 19, first)).body, { applied: false, seq: 20 });
    const ended = await device.request('DELETE', '/purpose-tokens/voip?seq=21');
    assert.deepEqual(ended.body, { applied: true, seq: 21 });
    assert.deepEqual((await put(device, 'voip', 20, second)).body, { applied: false, seq: 21 });
    assert.deepEqual(await heldBy('ben'), []);
  });

  it('that end before they were reported stay ended', async () => {
    const device = await signedIn('cleo');
    const ended = await device.request('DELETE', '/purpose-tokens/voip?seq=9');
    assert.deepEqual(ended.body, { applied: true, seq: 9 });
    const late = await put(device, 'voip', 8, { value: newToken() });
    assert.deepEqual(late.body, { applied: false, seq: 9 });
  });

  it('move to whoever reports them last, and a late repetition does not win them back', async () => {
    const [former, latter] = [await signedIn('dora'), await signedIn('emil')];
    const body = { value: newToken() };
    assertAnswered(await put(former, 'voip', 5, body), 200);
    assert.deepEqual((await put(latter, 'voip', 5, body)).body, { applied: true, seq: 5 });
    assert.deepEqual((await put(former, 'voip', 5, body)).body, { applied: false, seq: 5 });
    assert.equal((await heldBy('dora')).length, 0);
    assert.equal((await heldBy('emil')).length, 1);
    assert.match((await network.backEnd.timeline(former.id)).join(' '), /moved to another/);
    assert.deepEqual((await put(former, 'voip', 6, body)).body, { applied: true, seq: 6 });
    assert.equal((await heldBy('emil')).length, 0);
  });

  it('that many installations claim at once end up with exactly one of them', async () => {
    const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];
    const devices = await Promise.all(users.map(signedIn));
    const body = { value: newToken() };
    const answers = await Promise.all(devices.map((device) => put(device, 'voip', 9, body)));
    for (const answer of answers) assertAnswered(answer, 200);
    const held = await Promise.all(users.map(heldBy));
    assert.equal(held.flat().length, 1);
  });

  it('need nobody to be signed in and end with a logout', async () => {
    const device = network.device();
    assertAnswered(await device.register(apnsToken()), 201);
    assertAnswered(await put(device, 'voip', device.nextSeq(), { value: newToken() }), 200);
    assertAnswered(await device.signIn('fritz'), 200);
    assert.equal((await heldBy('fritz')).length, 1);
    assertAnswered(await device.signOut(), 204);
    assertAnswered(await device.signIn('fritz'), 200);
    assert.equal((await heldBy('fritz')).length, 0);
  });

  it('of an unknown purpose are refused with the list of the known ones', async () => {
    const device = await signedIn('gina');
    const answer = await put(device, 'fax', 5, { value: newToken() });
    assertAnswered(answer, 422);
    assert.match(JSON.stringify(answer.body), /voip, live_activity, push_to_start/);
  });

  it('belong to an activity exactly when they are for Live Activities', async () => {
    const device = await signedIn('hans');
    const without = await put(device, 'live_activity', 5, { value: newToken() });
    assertAnswered(without, 422);
    const needless = await put(device, 'voip', 5, { value: newToken(), activity_id: 'x' });
    assertAnswered(needless, 422);
    const unnamed = await device.request('DELETE', '/purpose-tokens/live_activity?seq=6');
    assertAnswered(unnamed, 422);
    const unstorable = '/purpose-tokens/live_activity?seq=6&activity_id=%00';
    assertAnswered(await device.request('DELETE', unstorable), 422);
    const named = '/purpose-tokens/live_activity?seq=6&activity_id=x';
    assertAnswered(await device.request('DELETE', named), 200);
  });

  it('are limited in number, and ended ones do not count', async () => {
    const device = await signedIn('ida');
    for (let n = 0; n < 20; n += 1) {
      assertAnswered(await put(device, 'live_activity', 10 + n, activity(n)), 200);
    }
    assertAnswered(await put(device, 'live_activity', 40, activity(20)), 422);
    assertAnswered(await put(device, 'live_activity', 41, activity(3)), 200);
    const end = '/purpose-tokens/live_activity?seq=42&activity_id=activity-0';
    assertAnswered(await device.request('DELETE', end), 200);
    assertAnswered(await put(device, 'live_activity', 43, activity(20)), 200);
  });

  it("of a back end count in order of arrival and leave the device's sequence alone", async () => {
    const device = await signedIn('jan');
    assertAnswered(await put(device, 'voip', 30, { value: newToken() }), 200);
    const path = `/v1/installations/${device.id}/purpose-tokens/voip`;
    const written = await network.backEnd.request('PUT', path, { value: newToken() });
    assert.deepEqual(written.body, { applied: true, seq: 30 });
    const ended = await network.backEnd.request('DELETE', path);
    assert.deepEqual(ended.body, { applied: true, seq: 30 });
  });
});
