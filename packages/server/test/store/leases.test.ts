import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { enrolCrowd } from '../../../../test/crowd.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { LIMITS } from '../../src/domain/limits.ts';
import { countSettled, fenceChunk, heartbeat, releaseChunk } from '../../src/store/chunks.ts';
import type { LeasedChunk } from '../../src/store/chunks.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { whileHeld } from '../registry/while-held.ts';
import { leaseFrom } from './lease-from.ts';

const ALL = 100;
const SHORT_MS = 1_000;
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

describe('the lease of a chunk', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork({ role: 'api' });
  });
  after(() => network[Symbol.asyncDispose]());

  /** Holds a chunk for each of so many notifications. */
  async function leased(count: number, name = ''): Promise<readonly LeasedChunk[]> {
    const [person] = await enrolCrowd(network, 1, { name: `crowd${count}${name}` });
    assert.ok(person !== undefined);
    for (let sent = 0; sent < count; sent += 1) await network.backEnd.sendToUsers([person.user]);
    return leaseFrom(network, 'transactional', count);
  }

  async function lapse({ ref }: LeasedChunk): Promise<void> {
    await network.homing.db`
      update chunk set lease_until = clock_timestamp() - interval '1 s' where chunk_ref = ${ref}`;
  }

  async function msLeft({ ref }: LeasedChunk): Promise<number> {
    const [row] = await network.homing.db<{ ms: number }[]>`
      select extract(epoch from lease_until - clock_timestamp())::float8 * 1000 as ms
      from chunk where chunk_ref = ${ref}`;
    return row?.ms ?? assert.fail('the chunk is gone');
  }

  it('is prolonged although somebody holds the row of another chunk', async () => {
    const { db } = network.homing;
    const chunks = await leased(2);
    const [busy, free] = chunks;
    assert.ok(busy !== undefined && free !== undefined);
    const lost = await whileHeld(
      network,
      (tx) => fenceChunk(tx, busy),
      () => heartbeat(db, chunks, 2 * LIMITS.leaseMs),
    );
    assert.equal(lost.size, 0, 'whoever holds a row is not told that it is lost');
    assert.ok((await msLeft(busy)) <= LIMITS.leaseMs);
    assert.ok((await msLeft(free)) > LIMITS.leaseMs);
  });

  it('is lost when it is over, or when somebody has the chunk after us', async () => {
    const { db } = network.homing;
    const chunks = await leased(3);
    const [kept, over, taken] = chunks;
    assert.ok(kept !== undefined && over !== undefined && taken !== undefined);
    await lapse(taken);
    const successors = await leaseFrom(network, 'transactional', 1);
    assert.deepEqual(
      successors.map(({ ref }) => ref),
      [taken.ref],
    );
    await lapse(over);
    const lost = await heartbeat(db, [...chunks, ...successors], LIMITS.leaseMs);
    assert.deepEqual(new Set([over, taken]), lost);
  });

  for (const what of ['notifications', 'credentials'] as const) {
    it(`is taken over from the dead, also where too many wait for the same ${what}`, async () => {
      const { db } = network.homing;
      const [orphan, waiting] = await leased(2, what);
      assert.ok(orphan !== undefined && waiting !== undefined);
      const refs = [orphan.ref, waiting.ref];
      const [resolved] = await db<{ credential_ref: number }[]>`
        update chunk set credential_ref = credential.credential_ref, installation_refs = '{1}'
        from credential
        where credential.app_ref = chunk.app_ref and chunk_ref = any(${refs})
        returning chunk.credential_ref`;
      assert.ok(resolved !== undefined);
      await lapse(orphan);
      await releaseChunk(db, waiting, network.clock.now());
      const crowded = {
        notifications: [orphan.notificationRef, waiting.notificationRef],
        credentials: [resolved.credential_ref],
      };
      const taken = await leaseFrom(network, 'transactional', ALL, {
        crowded: { notifications: [], credentials: [], [what]: crowded[what] },
      });
      const takenRefs = new Set(taken.map(({ ref }) => ref));
      assert.ok(takenRefs.has(orphan.ref));
      assert.ok(!takenRefs.has(waiting.ref));
    });
  }

  it('ends until the chunk can go, or its notification needs it no more', async () => {
    const { clock } = network;
    const { db } = network.homing;
    const [waiting, cancelled] = await leased(2);
    assert.ok(waiting !== undefined && cancelled !== undefined);
    const year = new Date(clock.now().getTime() + YEAR_MS);
    await releaseChunk(db, waiting, year);
    await db`
      update notification set cancelled_at = ${clock.now()}
      where notification_ref = ${cancelled.notificationRef}`;
    await releaseChunk(db, cancelled, year);
    const rows = await db<{ chunk_ref: number; expires: boolean; due: boolean }[]>`
      select chunk_ref, available_at = expires_at as expires, available_at <= ${clock.now()} as due
      from chunk join notification using (notification_ref) where lease_owner is null`;
    const at = (ref: number) => rows.find(({ chunk_ref: one }) => one === ref);
    assert.equal(at(waiting.ref)?.expires, true);
    assert.equal(at(cancelled.ref)?.due, true);
  });

  it('begins anew with what its holder writes, however long that took', async () => {
    const { db } = network.homing;
    const [chunk] = await leased(1);
    assert.ok(chunk !== undefined);
    await inTransaction(db, async (tx) => {
      assert.ok(await fenceChunk(tx, chunk));
      await tx`
        update chunk set lease_until = clock_timestamp(), installation_refs = '{1}'
        where chunk_ref = ${chunk.ref}`;
      assert.deepEqual(await countSettled(tx, [{ chunk, count: 0 }]), new Set());
    });
    assert.ok((await msLeft(chunk)) > SHORT_MS);
  });
});
