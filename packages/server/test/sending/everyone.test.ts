import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { assertConserved } from '../../../../test/conservation.ts';
import { gatherCrowd } from '../../../../test/anonymous-crowd.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { acceptedPushes, tokens, tokensReached } from '../../../../test/pushes.ts';
import { startSecondServer } from '../../../../test/second-server.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { Crew } from './crew.ts';

const CONTENT = { title: 'The summer sale has begun' };
const EVERYONE = { audience: { everyone: true }, content: CONTENT };

describe('a notification to everyone', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  it('reaches every installation with a token, also where nobody is signed in', async () => {
    const [iphone, pixel, gone, silent] = [apnsToken(), fcmToken(), fcmToken(), null];
    const crew = await Crew.gather(network, [iphone, pixel, gone, silent]);
    assertAnswered(await crew.device(0).signIn('anna'), 200);
    assertAnswered(await crew.device(2).request('DELETE', ''), 204);
    await Crew.gather(network, [fcmToken()]);

    let id = '';
    const reached = await tokensReached(network, async () => {
      id = await crew.backEnd.send(EVERYONE);
    });

    assert.deepEqual(reached, tokens(iphone, pixel));
    const report = await crew.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['status'], 'finished');
    assert.equal(report['user_bound'], false);
    assert.equal(report['counts']?.['expected'], 3);
    assert.deepEqual(report['reasons'], { skipped: { no_token: 1 } });
    // Whom the walk finds without a token is counted, and has no row.
    const deliveries = await crew.backEnd.deliveries(id);
    assert.deepEqual(new Set(deliveries.map((one) => one['state'])), new Set(['accepted']));
    assert.deepEqual(new Set(deliveries.map((one) => one['user_id'])), new Set([null]));
  });

  it('names no addressee, so that it is shown whoever is signed in', async () => {
    const crew = await Crew.gather(network, [fcmToken()]);
    assertAnswered(await crew.device(0).signIn('anna'), 200);
    const before = network.journal.counters.received;
    await crew.backEnd.send(EVERYONE);
    await network.drain();
    const [push] = acceptedPushes(network.journal, before);
    assert.doesNotMatch(JSON.stringify(push?.body), /rcpt/);
  });

  it('is a campaign, which leaves the dormant out, unless its sender says otherwise', async () => {
    const crew = await Crew.gather(network, [fcmToken(), fcmToken()]);
    await crew.makeDormant(crew.device(1));
    const campaign = await crew.backEnd.send(EVERYONE);
    const urgent = await crew.backEnd.send({ ...EVERYONE, options: { lane: 'transactional' } });
    await network.drain();
    const reports = [await crew.backEnd.report(campaign), await crew.backEnd.report(urgent)];
    assert.deepEqual(reports[0]?.['reasons'], { skipped: { dormant: 1 } });
    assert.equal(reports[0]?.['counts']?.['accepted'], 1);
    assert.equal(reports[1]?.['counts']?.['accepted'], 2);
    reports.forEach(assertConserved);
  });

  it('is finished at once where the app has no installation', async () => {
    const { backEnd } = await Crew.gather(network, []);
    const id = await backEnd.send(EVERYONE);
    await network.drain();
    const report = await backEnd.report(id);
    assert.equal(report['status'], 'finished');
    assert.equal(report['counts']?.['expected'], 0);
  });

  it('that was cancelled before its audience was walked expects nobody', async () => {
    await using still = await startNetwork({ role: 'api' });
    await gatherCrowd(still.homing.db, still.app.id, { count: 5, tokenEvery: 1, name: 'still' });
    const id = await still.backEnd.send(EVERYONE);
    assertAnswered(await still.backEnd.request('POST', `/v1/notifications/${id}/cancel`), 200);
    const { config, masterKey, clock } = still;
    const worker = { config: { ...config, role: 'worker' }, masterKey, clock } as const;
    await using second = await startSecondServer(worker);
    await second.drain();
    const report = await still.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['expected'], 0);
    assert.equal(report['status'], 'cancelled');
    assert.deepEqual(acceptedPushes(still.journal), []);
  });

  it('walks over more than a step, and misses and doubles nobody', async () => {
    const { app, backEnd } = await Crew.gather(network, []);
    const crowd = { count: 25_000, tokenEvery: 50, name: 'walk' } as const;
    await gatherCrowd(network.homing.db, app.id, crowd);
    let id = '';
    const reached = await tokensReached(network, async () => {
      id = await backEnd.send(EVERYONE);
    });
    assert.equal(reached.length, 500);
    assert.equal(new Set(reached).size, 500);
    const report = await backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['expected'], 25_000);
    assert.deepEqual(report['reasons'], { skipped: { no_token: 24_500 } });
  });

  it('can be tried without being sent, by samples where there are many', async () => {
    const { app, backEnd } = await Crew.gather(network, [apnsToken(), null]);
    const dry = await backEnd.request('POST', '/v1/notifications/validate', EVERYONE);
    assertAnswered(dry, 200);
    assert.equal(dry.body['estimated'], false);
    assert.deepEqual(dry.body['recipients'], { 'apns/unknown': 1 });
    assert.deepEqual(dry.body['exclusions'], { no_token: 1 });

    const crowd = { count: 12_000, tokenEvery: 2, name: 'dry' } as const;
    await gatherCrowd(network.homing.db, app.id, crowd);
    const large = await backEnd.request('POST', '/v1/notifications/validate', EVERYONE);
    assert.equal(large.body['estimated'], true);
    assert.deepEqual(large.body['exclusions'], { no_token: 6_001 });
    const recipients = Object.values(large.body['recipients'] ?? {}).map(Number);
    const sum = recipients.reduce((total, one) => total + one, 0);
    assert.ok(Math.abs(sum - 6_001) <= 2, `${sum}`);
    assert.ok(Number(large.body['payload_bytes']?.['fcm']) > 50);
  });

  it('is explained also to whom it was counted without a row', async () => {
    const crew = await Crew.gather(network, [fcmToken(), null]);
    const [first, second] = [crew.device(0), crew.device(1)];
    for (const device of [first, second]) assertAnswered(await device.signIn('anna'), 200);
    const id = await crew.backEnd.send(EVERYONE);
    await network.drain();
    network.clock.advance(1_000);
    const late = await crew.enrol(fcmToken(), 'anna');
    const answer = await crew.backEnd.get(`/v1/notifications/${id}/explain?user_id=anna`);
    assertAnswered(answer, 200);
    const rows = answer.body['installations'] as unknown as readonly Explained[];
    const byId = new Map(rows.map((row) => [row.installation_id, row]));
    assert.equal(byId.get(first.id)?.state, 'accepted');
    assert.deepEqual(byId.get(second.id), {
      ...byId.get(second.id),
      state: 'skipped',
      reason: 'no_token',
      sentence: 'Not sent: the device has no token.',
    });
    assert.equal(byId.get(late.id)?.state, 'not_addressed');
  });

  it('is said with the word true', async () => {
    for (const everyone of [false, 'yes', null]) {
      const wrong = { ...EVERYONE, audience: { everyone } };
      const answer = await network.backEnd.request('POST', '/v1/notifications', wrong);
      assertProblem(answer, 'validation_failed', '/audience/everyone');
    }
    const variables = { ...EVERYONE, recipient_variables: { anna: {} } };
    const answer = await network.backEnd.request('POST', '/v1/notifications', variables);
    assertProblem(answer, 'validation_failed', '/recipient_variables');
  });
});

interface Explained {
  readonly installation_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly sentence: string;
}
