import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { skip } from '../../src/domain/settlement.ts';
import { settle } from '../../src/feedback/settle.ts';
import { expandWalk } from '../../src/sending/expand-walk.ts';
import { leaseFrom } from '../store/lease-from.ts';
import { Crew } from './crew.ts';

const TIMEOUT = { timeout: 60_000 };

test(
  'a settlement that waits for a lock lets go of its own, and keeps its lease',
  TIMEOUT,
  async () => {
    await using network = await startNetwork({ role: 'api' });
    const { db } = network.homing;
    const crew = await Crew.gather(network, [fcmToken()]);
    const content = { title: 'The summer sale has begun' };
    await crew.backEnd.send({ audience: { everyone: true }, content });
    const [walk] = await leaseFrom(network, 'bulk', 1);
    assert.ok(walk !== undefined);
    await expandWalk(db, walk, network.clock.now());
    const [chunk] = await leaseFrom(network, 'bulk', 1);
    assert.ok(chunk !== undefined);

    const locked = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const frozen = db.begin(async (tx) => {
      await tx`select 1 from notification for update`;
      locked.resolve();
      await letGo.promise;
    });
    await locked.promise;
    const settlements = chunk.installationRefs.map((installationRef) =>
      skip({ installationRef, userRef: 0 }, 'no_token'),
    );
    const settled = settle(db, { chunk, purpose: null, settlements }, network.clock.now());
    while ((await db`select 1 from pg_locks where not granted`).length === 0);
    // The settlement holds the chunk by now, so that this waits for it.
    const [held] = await db<{ until: string }[]>`
    select lease_until::text as until from chunk where chunk_ref = ${chunk.ref} for update`;
    const isProlonged = () =>
      db`select 1 from chunk where lease_until > ${held?.until ?? null}::text::timestamptz`;
    while ((await isProlonged()).length === 0);
    letGo.resolve();
    await frozen;
    assert.deepEqual(await settled, { chunk: 'completed', refuted: 0 });
  },
);
