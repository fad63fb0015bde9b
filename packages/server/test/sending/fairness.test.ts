import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gatherCrowd } from '../../../../test/anonymous-crowd.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { expandWalk } from '../../src/sending/expand-walk.ts';
import { releaseChunk } from '../../src/store/chunks.ts';
import { leaseFrom } from '../store/lease-from.ts';
import { Crew } from './crew.ts';

const content = { title: 'The summer sale has begun' };
const EVERYONE = { audience: { everyone: true }, content };

describe('those who send at the same time', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork({ role: 'api' });
  });
  after(() => network[Symbol.asyncDispose]());

  /** Chunks of a notification, as an expansion leaves them. */
  async function line(crew: Crew, chunks: number): Promise<number> {
    await crew.backEnd.send(EVERYONE);
    const [row] = await network.homing.db<{ notification_ref: number }[]>`
      with walk as (delete from chunk where cursor is not null returning *)
      insert into chunk (app_ref, notification_ref, day, lane, credential_ref, installation_refs,
        user_refs, turn, available_at)
      select app_ref, notification_ref, day, lane, 1, '{1}', '{0}', turn + number, available_at
      from walk cross join generate_series(0, ${chunks - 1}::int) as number
      returning notification_ref`;
    return row?.notification_ref ?? assert.fail('no chunk was made');
  }

  async function take(limit: number): Promise<readonly number[]> {
    return (await leaseFrom(network, 'bulk', limit)).map(({ notificationRef }) => notificationRef);
  }

  it('take turns, app by app, and within an app in line', async () => {
    const [large, small] = [await Crew.gather(network, []), await Crew.gather(network, [])];
    const million = await line(large, 1_000);
    const first = await take(8);
    assert.deepEqual(
      first,
      Array.from({ length: 8 }, () => million),
    );

    // Eight places are taken by the one; what becomes free goes to the other until both have as
    // many, and then to each in turn.
    const hundred = await line(small, 100);
    assert.deepEqual(
      await take(8),
      Array.from({ length: 8 }, () => hundred),
    );
    const next = await take(8);
    assert.equal(next.filter((ref) => ref === million).length, 4);
    assert.equal(next.filter((ref) => ref === hundred).length, 4);

    // The million's own app sends something else: it need not wait for the rest of the million.
    const late = await line(large, 1);
    const following = [...(await take(2)), ...(await take(2))];
    assert.ok(following.includes(late), `${following.join()} without ${late}`);
  });

  it('walk over an audience step by step, behind what they have made', async () => {
    const { db } = network.homing;
    const { app, backEnd } = await Crew.gather(network, []);
    await gatherCrowd(db, app.id, { count: 10_001, tokenEvery: 5_000, name: 'steps' });
    await backEnd.send(EVERYONE);
    const [walk] = await leaseFrom(network, 'bulk', 1);
    assert(walk !== undefined, 'the walk is leased');
    await expandWalk(db, walk, network.clock.now());

    const [made, further] = [
      await leaseFrom(network, 'bulk', 1),
      await leaseFrom(network, 'bulk', 1),
    ].flat();
    assert.equal(made?.installationRefs.length, 2);
    assert.equal(further?.ref, walk.ref);
    assert.notEqual(further.cursor, walk.cursor);
    await expandWalk(db, further, network.clock.now());
    const [last] = await leaseFrom(network, 'bulk', 1);
    assert.equal(last?.installationRefs.length, 1);
  });

  it('find out whom they reach while their chunks wait for a pace', async () => {
    const { backEnd } = await Crew.gather(network, []);
    await backEnd.send(EVERYONE);
    const [walk] = await leaseFrom(network, 'bulk', 1);
    assert(walk !== undefined, 'the walk is leased');
    await releaseChunk(network.homing.db, walk, network.clock.now());
    const crowded = { notifications: [walk.notificationRef], credentials: [] };
    const [again] = await leaseFrom(network, 'bulk', 1, { crowded });
    assert.equal(again?.ref, walk.ref);
  });
});
