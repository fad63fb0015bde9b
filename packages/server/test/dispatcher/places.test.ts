import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { vacancies, type PlacedChunk } from '../../src/dispatcher/places.ts';

const NOTHING = { notifications: [], credentials: [] };
const PLACES = 8;

let refs = 0;

function held(
  credentialRef: number,
  waitsFor: 'pace' | 'lane' | null,
  notificationRef = 1,
  count = 1,
): readonly PlacedChunk[] {
  return Array.from({ length: count }, () => ({
    chunk: {
      ref: (refs += 1),
      appRef: 1,
      notificationRef,
      day: '2026-11-23',
      lane: 'bulk' as const,
      credentialRef,
      installationRefs: [1],
      userRefs: [],
      cursor: null,
      retry: false,
      turn: 0,
      gatedThrough: 0,
      settled: 0,
      attempt: 1,
    },
    run: { waitsFor },
  }));
}

describe('the places of a worker', () => {
  it('go to what is next in line by halves', () => {
    assert.deepEqual(vacancies('bulk', [], NOTHING), {
      lapsed: { limit: 0, without: [], crowded: NOTHING, paced: true },
      next: { limit: PLACES / 2, without: [], crowded: NOTHING, paced: true },
    });
    const { next } = vacancies('bulk', [...held(1, null), ...held(2, null, 2, 2)], NOTHING);
    assert.deepEqual(next, { limit: 3, without: [], crowded: NOTHING, paced: true });
  });

  it('are held by one credential to a half of what others leave', () => {
    const { next } = vacancies('bulk', held(1, null, 1, 4), NOTHING);
    assert.deepEqual(next.without, [1]);
  });

  it('are not taken by what waits', () => {
    const waiting = [...held(1, 'pace', 7, 20), ...held(2, 'lane', 8, 20)];
    assert.equal(vacancies('bulk', waiting, NOTHING).next.limit, PLACES / 2);
  });

  it('are no use to what would wait for the same pace, or for the same lane', () => {
    const { next: paced } = vacancies('bulk', held(1, 'pace', 7, 2), NOTHING);
    assert.deepEqual(paced.crowded, { notifications: [7], credentials: [] });
    const { next: limited } = vacancies('bulk', held(1, 'lane', 7, 2), NOTHING);
    assert.deepEqual(limited.crowded, { notifications: [], credentials: [1] });
  });

  it('are not needed for what dead workers left of a crowd', () => {
    const full = [...held(1, null, 7, PLACES), ...held(1, 'pace', 7, 2)];
    const { next, lapsed } = vacancies('bulk', full, NOTHING);
    assert.deepEqual([next.limit, next.without], [0, [1]]);
    const crowded = { notifications: [7], credentials: [] };
    assert.deepEqual(lapsed, { limit: PLACES, without: [], crowded, paced: true });
  });

  it('go to nothing that dead workers left of a credential that has its share', () => {
    const { lapsed } = vacancies(
      'bulk',
      [...held(1, null, 1, 4), ...held(1, 'lane', 1, 2)],
      NOTHING,
    );
    assert.equal(lapsed.limit, 0);
  });

  it('are kept for others where much waits, and given to nothing that is left alone', () => {
    const leftAlone = { notifications: [7], credentials: [3] };
    const { next, lapsed } = vacancies('bulk', held(1, 'pace', 2, 29), leftAlone);
    const crowded = { notifications: [2, 7], credentials: [] };
    assert.deepEqual(lapsed, { limit: 3, without: [3], crowded, paced: true });
    assert.deepEqual(next, { limit: PLACES / 2, without: [3], crowded, paced: true });
    const most = vacancies('bulk', held(1, 'pace', 2, 40), NOTHING);
    assert.ok(most.lapsed.limit <= 0);
    assert.equal(most.next.limit, PLACES / 2);
    assert.equal(most.next.paced, false);
    assert.equal(vacancies('bulk', held(1, 'pace', 2, 64), NOTHING).next.limit, 0);
  });
});
