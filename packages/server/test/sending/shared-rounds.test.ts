import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertConserved } from '../../../../test/conservation.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { UNATTEMPTED, type Settlement } from '../../src/domain/settlement.ts';
import { settleTogether } from '../../src/feedback/settle.ts';
import { fenceChunk, type LeasedChunk } from '../../src/store/chunks.ts';
import { gateTogether } from '../../src/store/gate.ts';
import { whileHeld } from '../registry/while-held.ts';
import { leaseFrom } from '../store/lease-from.ts';

const AT = new Date('2026-01-01T00:00:00Z');

function recipientsOf(chunk: LeasedChunk) {
  return chunk.installationRefs.map((installationRef, index) => ({
    installationRef,
    userRef: chunk.userRefs[index] ?? 0,
  }));
}

/** As if a provider had taken each. */
function accepted(chunk: LeasedChunk): readonly Settlement[] {
  return recipientsOf(chunk).map((recipient) => ({
    ...UNATTEMPTED,
    ...recipient,
    state: 'accepted',
    reason: '',
    provider: 'fcm',
    providerId: `message-${recipient.installationRef}`,
    holderVersion: 1,
    attempts: 1,
    firstSentAt: AT,
    sentAt: AT,
    tokenFact: { kind: 'accepted', endsFailures: false },
    host: 'fcm',
  }));
}

describe('what several chunks do in one round', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork({ role: 'api' });
    const phone = network.device();
    assertAnswered(await phone.register(fcmToken(), 'sara'), 201);
    // On two lanes, so that a notification to her has two chunks.
    assertAnswered(await network.device().register(apnsToken(), 'maria'), 201);
    assertAnswered(await network.device().register(fcmToken(), 'maria'), 201);
  });
  after(() => network[Symbol.asyncDispose]());

  async function lapse({ ref }: LeasedChunk): Promise<void> {
    await network.homing.db`
      update chunk set lease_until = clock_timestamp() - interval '1 s' where chunk_ref = ${ref}`;
  }

  it('passes the gate for those that hold their lease, each with its own rows', async () => {
    for (const user of ['sara', 'maria', 'sara']) await network.backEnd.sendToUsers([user]);
    const chunks = await leaseFrom(network, 'transactional', 10);
    assert.equal(chunks.length, 4);
    const [lost] = chunks;
    assert.ok(lost !== undefined);
    await lapse(lost);
    const slices = chunks.map((chunk) => ({
      chunk,
      recipients: recipientsOf(chunk),
      through: 1,
      purpose: null,
    }));
    const gated = await gateTogether(network.homing.db, slices);
    assert.equal(gated[0], null);
    for (const [index, { chunk, recipients }] of slices.entries()) {
      if (index === 0) continue;
      const [row, ...others] = gated[index]?.rows ?? [];
      assert.deepEqual(others, []);
      assert.equal(row?.installationRef, recipients[0]?.installationRef);
      assert.equal(row?.ownerRef, recipients[0]?.userRef);
      assert.equal(row?.credentialRef, chunk.credentialRef);
    }
    const marks = await network.homing.db<{ mark: number }[]>`
      select gated_through as mark from chunk order by chunk_ref`;
    assert.deepEqual(
      marks.map(({ mark }) => mark),
      [0, 1, 1, 1],
    );
    await network.homing.db`delete from chunk`;
  });

  it('is settled for those that hold their lease, and finishes what has no other chunk', async () => {
    const saras = await network.backEnd.sendToUsers(['sara']);
    const marias = await network.backEnd.sendToUsers(['maria']);
    const left = await network.backEnd.sendToUsers(['sara']);
    const chunks = await leaseFrom(network, 'transactional', 10);
    assert.equal(chunks.length, 4);
    const lost = chunks.at(-1);
    assert.ok(lost !== undefined);
    await lapse(lost);
    const parts = chunks.map((chunk) => ({ chunk, purpose: null, settlements: accepted(chunk) }));
    const results = await settleTogether(network.homing.db, parts, network.clock.now());
    assert.deepEqual(
      results.map(({ chunk }) => chunk),
      ['completed', 'completed', 'completed', 'lost'],
    );
    for (const [id, status, count] of [
      [saras, 'finished', 1],
      [marias, 'finished', 2],
      [left, 'sending', 0],
    ] as const) {
      const report = await network.backEnd.report(id);
      assertConserved(report);
      assert.equal(report['status'], status);
      assert.equal(report['counts']?.['accepted'], count);
      assert.equal((await network.backEnd.deliveries(id)).length, count);
    }
  });

  it('is settled once for a chunk that is held again while its former run hears late', async () => {
    const { db } = network.homing;
    await db`delete from chunk`;
    const id = await network.backEnd.sendToUsers(['sara']);
    const [former] = await leaseFrom(network, 'transactional', 10);
    assert.ok(former !== undefined);
    await lapse(former);
    const [again] = await leaseFrom(network, 'transactional', 10);
    assert.equal(again?.ref, former.ref);
    assert.ok(again !== undefined);
    const parts = [former, again].map((chunk) => ({
      chunk,
      purpose: null,
      settlements: accepted(chunk),
    }));
    const results = await settleTogether(db, parts, network.clock.now());
    assert.deepEqual(
      results.map(({ chunk }) => chunk),
      ['lost', 'completed'],
    );
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['accepted'], 1);
  });

  it('is not waited for where somebody holds the row of one of the chunks', async () => {
    const { db } = network.homing;
    await db`delete from chunk`;
    for (const user of ['sara', 'sara']) await network.backEnd.sendToUsers([user]);
    const chunks = await leaseFrom(network, 'transactional', 10);
    const [busy] = chunks;
    assert.ok(busy !== undefined && chunks.length === 2);
    const slices = chunks.map((chunk) => ({
      chunk,
      recipients: recipientsOf(chunk),
      through: 1,
      purpose: null,
    }));
    const gated = await whileHeld(
      network,
      (tx) => fenceChunk(tx, busy),
      () => gateTogether(db, slices),
    );
    assert.equal(gated[0], null);
    assert.equal(gated[1]?.rows.length, 1);
  });
});
