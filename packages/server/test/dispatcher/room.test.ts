import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from '../../src/dispatcher/room.ts';

const SOON_MS = 5;
/** Nothing here takes that long unless it is broken. */
const LONG_MS = 10_000;

test('bulk fills three quarters, and what is transactional has the rest', async () => {
  const room = new Room(1_000);
  assert.equal(await room.take('bulk', 700, LONG_MS), 700);
  assert.equal(await room.take('bulk', 700, LONG_MS), 50);
  assert.equal(await room.take('bulk', 1, SOON_MS), 0);
  assert.equal(await room.take('transactional', 700, LONG_MS), 250);
  assert.equal(await room.take('transactional', 1, SOON_MS), 0);
});

test('what is transactional may have it all, and goes first where both wait', async () => {
  const room = new Room(200);
  assert.equal(await room.take('transactional', 300, LONG_MS), 200);
  const order: string[] = [];
  const wait = async (lane: 'transactional' | 'bulk', want: number): Promise<void> => {
    const places = await room.take(lane, want, LONG_MS);
    order.push(`${lane} ${places}`);
    room.release(lane, places);
  };
  const waiting = [wait('bulk', 60), wait('transactional', 1), wait('transactional', 2)];
  room.release('transactional', 120);
  await Promise.all(waiting);
  assert.deepEqual(order, ['transactional 1', 'transactional 2', 'bulk 60']);
});

test('bulk waits for enough places to be worth a look at the database', async () => {
  const room = new Room(100);
  assert.equal(await room.take('bulk', 75, LONG_MS), 75);
  room.release('bulk', 49);
  assert.equal(await room.take('bulk', 250, SOON_MS), 0);
  const waiting = room.take('bulk', 250, LONG_MS);
  room.release('bulk', 1);
  assert.equal(await waiting, 50);
  room.release('bulk', 40);
  assert.equal(await room.take('bulk', 10, LONG_MS), 10, 'unless it wants no more');
});

test('a provider with one place serves both', async () => {
  const room = new Room(1);
  assert.equal(await room.take('bulk', 250, LONG_MS), 1);
  room.release('bulk', 1);
  assert.equal(await room.take('transactional', 250, LONG_MS), 1);
});
