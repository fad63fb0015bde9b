import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, freshSeed } from '../../../test/seeded-random.ts';
import { StreamTable } from '../src/stream-table.ts';

const STEPS = 50_000;

test('a table of streams holds what a map holds, also streams that outlive thousands', (t) => {
  const seed = freshSeed();
  t.diagnostic(`seed ${seed}`);
  const random = createSeededRandom(seed);
  const table = new StreamTable<string>();
  const model = new Map<number, string>();
  let nextId = 1;
  for (let step = 0; step < STEPS; step += 1) {
    // A few stay from the beginning on, so that later ones meet them in every round of the ring.
    const ids = [...model.keys()].slice(random.below(20));
    if (ids.length < 300 && random.below(2) === 0) {
      table.add(nextId, `stream ${nextId}`);
      model.set(nextId, `stream ${nextId}`);
      nextId += 2;
    } else {
      const gone = ids[random.below(ids.length + 1)] ?? nextId;
      table.delete(gone);
      model.delete(gone);
    }
    const asked = 1 + 2 * random.below(nextId);
    assert.equal(table.get(asked), model.get(asked) ?? null);
    assert.equal(table.size, model.size);
  }
  assert.deepEqual(
    table.entries().map(([id]) => id),
    [...model.keys()],
  );
});
