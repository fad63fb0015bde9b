import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FCM_TOKEN_PATH } from '@homing/simulators';
import { assertAnswered } from '../../../../test/answered.ts';
import { assertConserved } from '../../../../test/conservation.ts';
import { gatherCrowd } from '../../../../test/anonymous-crowd.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { acceptedPushes, tokensReached } from '../../../../test/pushes.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { textOf } from '../http/text-of.ts';
import { Crew } from './crew.ts';

const content = { title: 'The summer sale has begun' };

describe('a notification to topics', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  /** Phones that are named by what they are subscribed to; the empty name is to nothing. */
  async function phonesWith(names: readonly string[]) {
    const crew = await Crew.gather(network, []);
    const phones = new Map<string, string>();
    for (const name of names) {
      const token = fcmToken();
      const device = await crew.enrol(token);
      phones.set(token.value, name);
      for (const topic of name.split(' ').filter((part) => part !== '')) {
        await subscribe(device, topic, { scope: 'device' });
      }
    }
    const reach = async (topics: string): Promise<readonly string[]> => {
      const reached = await tokensReached(network, () =>
        crew.backEnd.send({ audience: { topics }, content }),
      );
      return reached.map((token) => phones.get(token) ?? 'a stranger').toSorted();
    };
    return { crew, reach };
  }

  it('reaches whoever fits the expression', async () => {
    const { reach } = await phonesWith(['news', 'beta', 'news beta', 'news sport', '']);
    const reaches: Readonly<Record<string, readonly string[]>> = {
      news: ['news', 'news beta', 'news sport'],
      'news && beta': ['news beta'],
      'news && !beta': ['news', 'news sport'],
      'news || beta': ['beta', 'news', 'news beta', 'news sport'],
      'sport || beta && news': ['news beta', 'news sport'],
      '(sport || beta) && news': ['news beta', 'news sport'],
      '!news': ['', 'beta'],
      '!(news || beta)': [''],
      '!(news && beta)': ['', 'beta', 'news', 'news sport'],
      '!!sport': ['news sport'],
      unheard: [],
    };
    for (const [topics, expected] of Object.entries(reaches)) {
      assert.deepEqual(await reach(topics), expected, topics);
    }
  });

  it('goes to nobody in particular while only devices are subscribed', async () => {
    const { crew } = await phonesWith(['news']);
    const [sent, dry] = await both(crew, { audience: { topics: 'news' }, content });
    assert.equal(sent['user_bound'], false);
    assert.equal(dry['user_bound'], false);
    assert.equal(Number(sent['ttl_seconds']), 259_200);
  });

  it("reaches a user's subscription through the link, bound to that user", async () => {
    const { crew } = await phonesWith(['news']);
    const annas = await crew.enrol(fcmToken(), 'anna');
    await subscribe(annas, 'news', { scope: 'user', user_id: 'anna' });
    const before = network.journal.counters.received;
    const [sent] = await both(crew, { audience: { topics: 'news' }, content });
    await network.drain();
    assert.equal(sent['user_bound'], true);
    assert.equal(Number(sent['ttl_seconds']), 86_400);
    const bodies = acceptedPushes(network.journal, before).map((push) => JSON.stringify(push.body));
    assert.equal(bodies.length, 2);
    assert.equal(bodies.filter((body) => body.includes('rcpt')).length, 1);
    const deliveries = await crew.backEnd.deliveries(textOf(sent['id']));
    assert.deepEqual(
      new Set<unknown>(deliveries.map((one) => one['user_id'])),
      new Set<unknown>(['anna', null]),
    );
  });

  it('that was bound to a user goes out to nobody once the user has left', async () => {
    await using still = await startNetwork();
    const crew = await Crew.gather(still, []);
    const phone = await crew.enrol(fcmToken(), 'anna');
    await subscribe(phone, 'news', { scope: 'user', user_id: 'anna' });
    using hold = still.fcm.faults.hold({ path: FCM_TOKEN_PATH });
    const id = await crew.backEnd.send({ audience: { topics: 'news' }, content });
    await hold.arrived();
    assertAnswered(await phone.signOut(), 204);
    hold.release();
    await still.drain();
    const report = await crew.backEnd.report(id);
    assertConserved(report);
    assert.deepEqual(report['reasons'], { skipped: { owner_changed: 1 } });
    assert.deepEqual(acceptedPushes(still.journal), []);
  });

  it('comes once to a device that is subscribed itself and through its user', async () => {
    const { crew } = await phonesWith([]);
    const token = fcmToken();
    const phone = await crew.enrol(token, 'anna');
    await subscribe(phone, 'news', { scope: 'device' });
    await subscribe(phone, 'news', { scope: 'user', user_id: 'anna' });
    const reached = await tokensReached(network, () =>
      crew.backEnd.send({ audience: { topics: 'news' }, content }),
    );
    assert.deepEqual(reached, [token.value]);
  });

  it("takes a user's topics into account where they are not wanted", async () => {
    const { crew } = await phonesWith([]);
    const phone = await crew.enrol(fcmToken(), 'anna');
    await subscribe(phone, 'news', { scope: 'device' });
    await subscribe(phone, 'beta', { scope: 'user', user_id: 'anna' });
    const audience = { topics: 'news && !beta' };
    const reached = await tokensReached(network, () => crew.backEnd.send({ audience, content }));
    assert.deepEqual(reached, []);
  });

  it('is switched off on the device although the user has it on', async () => {
    const { crew } = await phonesWith([]);
    const phone = await crew.enrol(fcmToken(), 'anna');
    await subscribe(phone, 'news', { scope: 'user', user_id: 'anna' });
    const preferences = { preferences: { categories: { offers: true } } };
    assertAnswered(await crew.backEnd.request('PUT', '/v1/users/anna', preferences), 200);
    const off = { categories: { offers: false } };
    const path = `/preferences?seq=${phone.nextSeq()}`;
    assertAnswered(await phone.request('PUT', path, off), 200);
    const audience = { topics: 'news' };
    const id = await crew.backEnd.send({ audience, content, category: 'offers' });
    await network.drain();
    const report = await crew.backEnd.report(id);
    assert.deepEqual(report['reasons'], { skipped: { opted_out: 1 } });
  });

  it('walks over more subscriptions than a step looks at', async () => {
    const { app, backEnd } = await Crew.gather(network, []);
    const { db } = network.homing;
    await gatherCrowd(db, app.id, { count: 22_000, tokenEvery: 100, name: 'topic' });
    // Every third has the one, every fifth the other, and some have both.
    for (const [topic, every] of [
      ['three', 3],
      ['five', 5],
    ] as const) {
      await db`
        insert into topic_subscription (installation_ref, topic, app_ref)
        select installation_ref, ${topic}, app_ref from (
          select *, row_number() over (order by installation_ref) - 1 as number
          from installation where app_ref = (select max(app_ref) from app)) numbered
        where number % ${every}::int = 0`;
    }
    const send = (topics: string) => backEnd.send({ audience: { topics }, content });
    const ids = [await send('three || five'), await send('three && !five'), await send('!three')];
    await network.drain();
    const crowd = Array.from({ length: 22_000 }, (_, number) => number);
    const expected = [
      crowd.filter((n) => n % 3 === 0 || n % 5 === 0).length,
      crowd.filter((n) => n % 3 === 0 && n % 5 !== 0).length,
      crowd.filter((n) => n % 3 !== 0).length,
    ];
    for (const [index, id] of ids.entries()) {
      const report = await backEnd.report(id);
      assertConserved(report);
      assert.equal(report['counts']?.['expected'], expected[index]);
    }
  });

  it('is explained to whom it was not for', async () => {
    const { crew } = await phonesWith([]);
    const phone = await crew.enrol(fcmToken(), 'anna');
    const id = await crew.backEnd.send({ audience: { topics: 'news' }, content });
    await network.drain();
    const answer = await crew.backEnd.get(`/v1/notifications/${id}/explain?user_id=anna`);
    const row = answer.body['installations']?.['0'];
    assert.equal(row?.['installation_id'], phone.id);
    assert.equal(row?.['sentence'], 'The device does not belong to the audience.');
  });

  it('is refused with the place at which the expression breaks off', async () => {
    const deep = `${'('.repeat(21)}news${')'.repeat(21)}`;
    const form = '1 to 128 letters, digits and - _ . ~ % :, and not . or .. alone';
    const noName = `not the name of a topic: ${form}`;
    const wrong: Readonly<Record<string, string>> = {
      'news && ': 'character 9: expected a topic, "!" or "("',
      '&& news': 'character 1: expected a topic, "!" or "("',
      'news beta': 'character 6: expected "&&", "||" or the end',
      '(news || beta': 'character 14: expected "&&", "||" or ")"',
      'news)': 'character 5: expected "&&", "||" or the end',
      'news & beta': 'character 6: expected "&&", "||" or the end',
      'new$ || beta': `character 1: ${noName}`,
      'news || ..': `character 9: ${noName}`,
      [Array.from({ length: 33 }, (_, index) => `t${index}`).join('||')]:
        'character 151: more than 32 topics',
      [deep]: 'character 21: nested more than 20 deep',
      ' ': 'character 2: expected a topic, "!" or "("',
    };
    for (const [topics, detail] of Object.entries(wrong)) {
      const body = { audience: { topics }, content };
      for (const path of ['/v1/notifications', '/v1/notifications/validate']) {
        const answer = await network.backEnd.request('POST', path, body);
        assertProblem(answer, 'validation_failed', '/audience/topics');
        assert.equal(answer.body['errors']?.['0']?.['detail'], detail, topics);
      }
    }
    const long = { audience: { topics: 'x'.repeat(1_025) }, content };
    const answer = await network.backEnd.request('POST', '/v1/notifications', long);
    assertProblem(answer, 'validation_failed', '/audience/topics');
  });
});

async function subscribe(device: Device, topic: string, scope: unknown): Promise<void> {
  const path = `/topics/${topic}?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', path, scope), 200);
}

/** What a real send and the dry run answer. */
async function both(crew: Crew, body: unknown) {
  const dry = await crew.backEnd.request('POST', '/v1/notifications/validate', body);
  assertAnswered(dry, 200);
  const sent = await crew.backEnd.request('POST', '/v1/notifications', body);
  assertAnswered(sent, 202);
  return [sent.body, dry.body] as const;
}
