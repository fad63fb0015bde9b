import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathering } from '../../src/store/gathering.ts';

/** A gathering whose rounds are held up until they are let go; items that begin with `!` fail. */
function createSlowGathering(most: number) {
  const rounds: (readonly string[])[] = [];
  const held: (() => void)[] = [];
  const hold = async (items: readonly string[]): Promise<void> => {
    rounds.push(items);
    const { promise, resolve } = Promise.withResolvers<void>();
    held.push(resolve);
    await promise;
    const bad = items.find((item) => item.startsWith('!'));
    if (bad !== undefined) throw new Error(bad);
  };
  const gathering = new Gathering<string, string>({
    async together(items) {
      await hold(items);
      return items.map((item) => item.toUpperCase());
    },
    async alone(item) {
      await hold([item]);
      return item.toUpperCase();
    },
    isInDoubt: (error) => String(error).includes('??'),
    atOnce: 1,
    most,
  });
  const letAllGo = async (): Promise<void> => {
    while (held.length > 0) {
      held.shift()?.();
      await new Promise(setImmediate);
    }
  };
  return { gathering, rounds, letAllGo };
}

test('what comes while a round is under way goes together, and each gets its own answer', async () => {
  const { gathering, rounds, letAllGo } = createSlowGathering(3);
  const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => gathering.ask(item)));
  await letAllGo();
  assert.deepEqual(await answers, ['A', 'B', 'C', 'D', 'E']);
  assert.deepEqual(rounds, [['a'], ['b', 'c', 'd'], ['e']]);
});

test('a round that fails is done one by one, and only who is at fault fails', async () => {
  const { gathering, rounds, letAllGo } = createSlowGathering(3);
  const answers = Promise.allSettled(['a', 'b', '!', 'd'].map((item) => gathering.ask(item)));
  await letAllGo();
  assert.deepEqual(
    (await answers).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
    ['A', 'B', 'Error: !', 'D'],
  );
  assert.deepEqual(rounds, [['a'], ['b', '!', 'd'], ['b'], ['!'], ['d']]);
});

test('a round that may have been done all the same is not repeated', async () => {
  const { gathering, rounds, letAllGo } = createSlowGathering(3);
  const answers = Promise.allSettled(['a', 'b', '!??'].map((item) => gathering.ask(item)));
  await letAllGo();
  assert.deepEqual(
    (await answers).map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  );
  assert.deepEqual(rounds, [['a'], ['b', '!??']]);
});

test('those of a failed round that take long hold up no further round', async () => {
  const held = Promise.withResolvers<void>();
  const gathering = new Gathering<string, string>({
    together: () => Promise.reject(new Error('one of them has to wait')),
    async alone(item) {
      if (item === 'slow') await held.promise;
      return item.toUpperCase();
    },
    isInDoubt: () => false,
    atOnce: 1,
    most: 3,
  });
  const first = gathering.ask('first');
  const slow = gathering.ask('slow');
  const [fast, later] = [gathering.ask('fast'), gathering.ask('later')];
  assert.deepEqual(await Promise.all([first, fast, later]), ['FIRST', 'FAST', 'LATER']);
  assert.equal(await gathering.ask('another'), 'ANOTHER');
  held.resolve();
  assert.equal(await slow, 'SLOW');
});

test('one that comes by itself and takes long holds up no round either', async () => {
  const held = Promise.withResolvers<void>();
  const gathering = new Gathering<string, string>({
    async together(items) {
      if (items.includes('slow')) throw new Error('it has to wait');
      return items.map((item) => item.toUpperCase());
    },
    async alone(item) {
      await held.promise;
      return item.toUpperCase();
    },
    isInDoubt: () => false,
    atOnce: 1,
    most: 3,
  });
  const slow = gathering.ask('slow');
  assert.equal(await gathering.ask('another'), 'ANOTHER');
  held.resolve();
  assert.equal(await slow, 'SLOW');
});
