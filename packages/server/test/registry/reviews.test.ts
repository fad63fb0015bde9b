import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createApp, createLogger } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { DAY_MS, idOf, openShop } from './silent-shop.ts';
import { untilBlocked } from './until-blocked.ts';

describe('a review', () => {
  test('tells for each platform who is silent and who would become dormant, and does nothing', async () => {
    await using shop = await openShop();
    const [fresh, silent, dormant, android] = await shop.silence([
      { platform: 'ios', days: 29 },
      { platform: 'ios', days: 31 },
      { platform: 'ios', days: 61 },
      { platform: 'android', days: 100, user: 'anna' },
    ]);
    const review = await shop.review();
    assert.deepEqual(
      { state: review['state'], progress: review['progress'], totals: review['totals'] },
      { state: 'open', progress: 100, totals: { silent: 1, dormant: 2, purge: 0 } },
    );
    const none = { retired: 0, anonymous: 0, removed: 0 };
    assert.deepEqual(review['platforms'], {
      android: {
        installations: 1,
        silent: 0,
        dormant: 1,
        dormant_accepting: 0,
        already_dormant: 0,
        purge: none,
        samples: { silent: [], dormant: [android?.id], purge: [] },
      },
      ios: {
        installations: 3,
        silent: 1,
        dormant: 1,
        dormant_accepting: 0,
        already_dormant: 0,
        purge: none,
        samples: { silent: [silent?.id], dormant: [dormant?.id], purge: [] },
      },
    });
    assert.ok(fresh && dormant);
    assert.equal(await shop.status(dormant), 'signed_out');
    const kinds = await shop.network.backEnd.timeline(dormant.id);
    assert.ok(!kinds.some((sentence) => sentence.includes('left campaigns')));
  });

  test('counts by the thresholds that the app gave the platform', async () => {
    await using shop = await openShop();
    await shop.configure({
      platforms: { ios: { warn_days: 3, dormant_days: 5 }, default: { dormant_days: 200 } },
    });
    await shop.silence([
      { platform: 'ios', days: 4 },
      { platform: 'ios', days: 6 },
      { platform: 'web', days: 150 },
    ]);
    assert.deepEqual((await shop.review())['totals'], { silent: 2, dormant: 1, purge: 0 });
    const wrong = { dormancy: { platforms: { ios: { warn_days: 9, dormant_days: 5 } } } };
    const refused = await shop.network.backEnd.request('PATCH', '/v1/app', wrong);
    assertProblem(refused, 'validation_failed', '/dormancy/platforms/ios');
  });

  test('is applied by whoever repeats its totals, and by nobody else', async () => {
    await using shop = await openShop();
    const [silent, dormant] = await shop.silence([
      { platform: 'ios', days: 40 },
      { platform: 'ios', days: 70, user: 'anna' },
    ]);
    assert.ok(silent && dormant);
    const id = idOf(await shop.review());
    const refused = await shop.agree(id, { dormant: 2 });
    assertProblem(refused, 'review_changed');
    assert.deepEqual(refused.body['review']?.['totals'], { silent: 1, dormant: 1, purge: 0 });
    assertAnswered(await shop.agree(id, {}), 422);
    assert.equal(await shop.status(dormant), 'active');

    const applied = await shop.apply(id, { dormant: 1 });
    assert.equal(applied['state'], 'applied');
    assert.equal(applied['made_dormant'], 1);
    assert.equal(applied['progress'], 100);
    assert.equal(await shop.status(dormant), 'dormant');
    assert.equal(await shop.status(silent), 'signed_out');
    assert.match(
      (await shop.network.backEnd.timeline(dormant.id)).at(-1) ?? '',
      /has not checked in for long and left campaigns/,
    );
    // The same agreement again changes nothing; another one is refused.
    assert.equal((await shop.apply(id, { dormant: 1 }))['made_dormant'], 1);
    assertProblem(await shop.agree(id, { dormant: 1, purge: 0 }), 'review_changed');
    const audited = await shop.network.homing.db<{ action: string }[]>`
      select action from audit where action like 'review.%' order by audit_ref`;
    assert.deepEqual(
      audited.map(({ action }) => action),
      ['review.begin', 'review.apply'],
    );
  });

  test('leaves those alone that came back, and those that it had not counted', async () => {
    await using shop = await openShop();
    const [returning, staying] = await shop.silence([
      { platform: 'ios', days: 70, user: 'anna' },
      { platform: 'ios', days: 70, user: 'ben' },
      { platform: 'ios', days: 58 },
    ]);
    assert.ok(returning && staying);
    const id = idOf(await shop.review());
    assertAnswered(await returning.signIn('anna'), 200);
    await shop.network.clock.advance(3 * DAY_MS);
    const applied = await shop.apply(id, { dormant: 2 });
    assert.equal(applied['made_dormant'], 1);
    assert.equal(await shop.status(returning), 'active');
    assert.equal(await shop.status(staying), 'dormant');
  });

  test('a dormant phone returns by its next check-in, and the timeline says so', async () => {
    await using shop = await openShop();
    const [phone] = await shop.silence([{ platform: 'ios', days: 61, user: 'anna' }]);
    assert.ok(phone);
    await shop.apply(idOf(await shop.review()), { dormant: 1 });
    const { body } = await phone.request('GET', '');
    assert.equal(body['status'], 'dormant');
    assertAnswered(await phone.sync({ seq: phone.seq, device: { platform: 'ios' } }), 200);
    assert.equal(await shop.status(phone), 'active');
    assert.equal(
      (await shop.network.backEnd.timeline(phone.id)).at(-1),
      'The installation checked in again after a long silence.',
    );
  });

  test('a dormant phone returns also by a logout', async () => {
    await using shop = await openShop();
    const [phone] = await shop.silence([{ platform: 'ios', days: 61, user: 'anna' }]);
    assert.ok(phone);
    await shop.apply(idOf(await shop.review()), { dormant: 1 });
    assertAnswered(await phone.signOut(), 204);
    assert.equal(await shop.status(phone), 'signed_out');
    assert.deepEqual((await shop.review())['totals'], { silent: 0, dormant: 0, purge: 0 });
    assert.equal(
      (await shop.network.backEnd.timeline(phone.id)).at(-1),
      'The installation checked in again after a long silence.',
    );
  });

  test('counts under one name what clients call platforms that nobody knows', async () => {
    await using shop = await openShop();
    await shop.configure({ platforms: { kiosk: { warn_days: 3 } } });
    for (const platform of ['ios', 'kiosk', 'constructor', '__proto__', 'toaster']) {
      await shop.enrol(platform);
    }
    const review = await shop.review();
    assert.equal(review['state'], 'open');
    const counts = Object.entries(review['platforms'] ?? {}).map(([platform, found]) => [
      platform,
      (found as unknown as { readonly installations: number }).installations,
    ]);
    assert.deepEqual(counts, [
      ['ios', 1],
      ['kiosk', 1],
      ['other', 3],
    ]);
  });

  test('that fails does not hold up those of other apps', async () => {
    await using shop = await openShop({ logger: createLogger('silent') });
    const { network } = shop;
    await shop.enrol('ios');
    assertAnswered(await network.backEnd.request('POST', '/v1/reviews'), 202);
    const { db } = network.homing;
    await db`update review set platforms = '{"ios": "unreadable"}'`;
    const other = new BackEnd(network.url, (await network.provision()).secretKey);
    const { body: sound } = await other.request('POST', '/v1/reviews');
    await network.homing.maintenance.run();
    assert.equal((await other.get(`/v1/reviews/${idOf(sound)}`)).body['state'], 'open');
    const states = await db<{ state: string }[]>`select state from review order by review_ref`;
    assert.deepEqual(
      states.map(({ state }) => state),
      ['counting', 'open'],
    );
  });

  test('makes way for a newer one, and there is one at a time', async () => {
    await using shop = await openShop();
    await shop.silence([{ platform: 'ios', days: 70 }]);
    const older = idOf(await shop.review());
    const begun = await Promise.all(
      [1, 2, 3].map(() => shop.network.backEnd.request('POST', '/v1/reviews')),
    );
    await shop.network.homing.maintenance.run();
    const newest = (await shop.list())[0];
    assert.ok(newest);
    assert.ok(begun.every(({ status }) => status === 202));
    assert.notEqual(idOf(newest), older);
    assert.equal((await shop.read(older))['state'], 'superseded');
    const refused = await shop.agree(older, { dormant: 1 });
    assertProblem(refused, 'review_changed');
    assert.equal(refused.body['review']?.['id'], newest['id']);
  });
});

describe('every month', () => {
  test('maintenance reviews each app once, and only counts', async () => {
    await using shop = await openShop();
    const { clock, homing } = shop.network;
    const [phone] = await shop.silence([{ platform: 'ios', days: 20 }]);
    assert.ok(phone);
    await homing.maintenance.run();
    assert.deepEqual(await shop.list(), []);
    await clock.advance(11 * DAY_MS);
    await homing.maintenance.run();
    await homing.maintenance.run();
    assert.deepEqual(
      (await shop.list()).map((review) => [review['state'], review['totals']?.['silent']]),
      [['open', 1]],
    );
    await clock.advance(31 * DAY_MS);
    await homing.maintenance.run();
    assert.deepEqual(
      (await shop.list()).map((review) => [review['state'], review['totals']?.['dormant']]),
      [
        ['open', 1],
        ['superseded', 0],
      ],
    );
    await clock.advance(29 * DAY_MS);
    await homing.maintenance.run();
    assert.equal(await shop.status(phone), 'signed_out');
  });

  test('a policy applies what nobody decided about, after the days that it grants', async () => {
    await using shop = await openShop();
    await shop.configure({ apply: 'automatic', apply_after_days: 7 });
    const { clock, homing } = shop.network;
    const [phone] = await shop.silence([{ platform: 'ios', days: 61 }]);
    assert.ok(phone);
    const id = idOf(await shop.review());
    await clock.advance(6 * DAY_MS);
    await homing.maintenance.run();
    assert.equal((await shop.read(id))['state'], 'open');
    await clock.advance(DAY_MS);
    await homing.maintenance.run();
    const applied = await shop.read(id);
    assert.equal(applied['state'], 'applied');
    assert.equal(applied['applied_by'], 'policy');
    assert.equal(await shop.status(phone), 'dormant');
  });
});

describe('a large review', () => {
  const PHONES = 12_000;

  test('goes on in any process where it was broken off, and does everything once', async () => {
    await using shop = await openShop({ logger: createLogger('silent') });
    const { network } = shop;
    const { db } = network.homing;
    await db`
      insert into installation (app_ref, id, platform, last_seen_at)
      select app_ref, gen_random_uuid(), 'ios', ${network.clock.now()}
      from app, generate_series(1, ${PHONES})`;
    await network.clock.advance(61 * DAY_MS);
    const id = idOf(await shop.review());
    await db.begin(async (tx) => {
      // Whoever holds a phone of the last slice stops the process there.
      await tx`
        select 1 from installation order by installation_ref desc limit 1 for no key update`;
      assertAnswered(await shop.agree(id, { dormant: PHONES }), 202);
      await untilBlocked(db, 1);
      const halfWay = await shop.read(id);
      assert.equal(halfWay['state'], 'applying');
      assert.equal(halfWay['progress'], 83);
      await tx`
        select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
    });
    const options = { clock: network.clock.now, logger: createLogger('silent') };
    await using other = createApp(network.config, { masterKey: network.masterKey }, options);
    await Promise.all([other.maintenance.run(), network.homing.maintenance.run()]);
    const applied = await shop.read(id);
    assert.equal(applied['state'], 'applied');
    assert.equal(applied['made_dormant'], PHONES);
    const [told] = await db<{ events: number; phones: number }[]>`
      select count(*) as events, count(distinct installation_ref) as phones from event
      where kind = 'installation.dormant'`;
    assert.deepEqual({ ...told }, { events: PHONES, phones: PHONES });
  });
});
