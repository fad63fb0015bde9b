import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../src/domain/outcome.ts';
import { deliverEach } from '../../src/providers/provider.ts';
import { makeApnsPush } from './pushes.ts';

test('a push whose delivery throws keeps none of the others from being heard', async () => {
  const pushes = [makeApnsPush(), makeApnsPush(), makeApnsPush()];
  const last = Promise.withResolvers<Outcome>();
  const heard: number[] = [];
  const sending = deliverEach(
    pushes,
    async (push) => {
      if (push === pushes[0]) throw new Error('a mistake');
      if (push === pushes[2]) return last.promise;
      return { kind: 'accepted', providerId: push.id };
    },
    (place) => {
      heard.push(place);
      if (place === 1) last.resolve({ kind: 'accepted', providerId: 'late' });
    },
  );
  await assert.rejects(sending, /a mistake/);
  assert.deepEqual(heard, [1, 2]);
});
