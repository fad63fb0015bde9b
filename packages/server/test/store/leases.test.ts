import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { enrolCrowd } from '../../../../test/crowd.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { LIMITS } from '../../src/domain/limits.ts';
import { countSettled, fenceChunk, releaseChunk } from '../../src/store/chunks.ts';
import type { LeasedChunk } from '../../src/store/chunks.ts';
import { countAhead, heartbeat, leaseLapsed } from '../../src/store/leases.ts';
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

  /** Makes chunks as an expansion leaves them; returns their credential. */
  async function resolve(chunks: readonly LeasedChunk[]): Promise<number> {
    const [resolved] = await network.homing.db<{ credential_ref: number }[]>`
      update chunk set credential_ref = credential.credential_ref, installation_refs = '{1}'
      from credential
      where credential.app_ref = chunk.app_ref
        and chunk_ref = any(${chunks.map(({ ref }) => ref)})
      returning chunk.credential_ref`;
    return resolved?.credential_ref ?? assert.fail('no chunk was resolved');
  }

  for (const what of ['notifications', 'credentials'] as const) {
    it(`is taken over from the dead, where others wait for the same ${what} already`, async () => {
      const { db } = network.homing;
      const chunks = await leased(4, what);
      const [orphan, stranger, living, free] = chunks;
      assert.ok(orphan !== undefined && stranger !== undefined);
      assert.ok(living !== undefined && free !== undefined);
      const credential = await resolve(chunks);
      await db`update chunk set credential_ref = 0 where chunk_ref = ${stranger.ref}`;
      await lapse(orphan);
      await lapse(stranger);
      await releaseChunk(db, free, network.clock.now());
      const of = {
        notifications: [orphan, living, free].map(({ notificationRef }) => notificationRef),
        credentials: [credential],
      };
      const crowded = { notifications: [], credentials: [], [what]: of[what] };
      const take = async (without: readonly number[]) => {
        const request = { owner: 'heir', lane: 'transactional', leaseMs: LIMITS.leaseMs } as const;
        const taken = await leaseLapsed(db, { ...request, limit: ALL, without, crowded });
        return taken.map(({ ref, attempt }) => ({ ref, attempt }));
      };
      assert.deepEqual(await take([credential]), [], 'its lane cannot be used');
      assert.deepEqual(await take([]), [{ ref: orphan.ref, attempt: orphan.attempt + 1 }]);
      assert.deepEqual(await take([]), [], 'it is held now');
      await lapse(orphan);
      const next = await leaseFrom(network, 'transactional', ALL, { crowded });
      const mine = new Set(chunks.map(({ ref }) => ref));
      assert.deepEqual(
        next.flatMap(({ ref }) => (mine.has(ref) ? [ref] : [])),
        [stranger.ref],
      );
    });
  }

  it('counts for those behind it as long as its worker lives, and for all once begun', async () => {
    const { db } = network.homing;
    const chunks = await leased(5, 'ahead');
    const [first, second, third, begun, other] = chunks;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    assert.ok(begun !== undefined && other !== undefined);
    const credentialRef = await resolve(chunks);
    const { notificationRef } = first;
    await db`
      update chunk set notification_ref = ${notificationRef}
      where chunk_ref = any(${chunks.map(({ ref }) => ref)})`;
    await db`update chunk set credential_ref = 0 where chunk_ref = ${other.ref}`;
    const ahead = (chunk: LeasedChunk) =>
      countAhead(db, { ...chunk, notificationRef, credentialRef });
    const all = async () => Promise.all([first, second, third, begun].map(ahead));
    assert.deepEqual(await all(), [0, 1, 2, 3]);
    assert.equal(await ahead({ ...begun, turn: first.turn - 1 }), 0, 'a retry stands in front');
    await db`update chunk set gated_through = 1 where chunk_ref = ${begun.ref}`;
    assert.deepEqual(await all(), [1, 2, 3, 4]);
    await lapse(first);
    assert.deepEqual(await all(), [1, 1, 2, 3]);
  });

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
