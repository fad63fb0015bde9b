import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { vacancies, type PlacedChunk } from '../../src/dispatcher/places.ts';

const NOTHING = { notifications: [], credentials: [] };
const PLACES = 8;

let refs = 0;

function held(
  credentialRef: number,
  isWaiting: boolean,
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
      unheldMs: null,
    },
    run: { isWaiting },
  }));
}

describe('the places of a worker', () => {
  it('go to what is next in line by halves', () => {
    assert.deepEqual(vacancies('bulk', [], NOTHING), {
      crowded: NOTHING,
      lapsed: { limit: 0, without: [] },
      next: { limit: PLACES / 2, without: [] },
      isOpen: true,
    });
    const { next } = vacancies('bulk', [...held(1, false), ...held(2, false, 2, 2)], NOTHING);
    assert.deepEqual(next, { limit: 3, without: [] });
  });

  it('are held by one credential to a half of what others leave', () => {
    const { next } = vacancies('bulk', held(1, false, 1, 4), NOTHING);
    assert.deepEqual(next.without, [1]);
  });

  it('are not taken by what waits, of which more of the same is left to others', () => {
    const { next, crowded } = vacancies('bulk', held(1, true, 7, 40), NOTHING);
    assert.equal(next.limit, PLACES / 2);
    assert.deepEqual(crowded, { notifications: [7], credentials: [1] });
  });

  it('are not needed for what dead workers left of a crowd', () => {
    const full = [...held(1, false, 7, PLACES), ...held(1, true, 7, 2)];
    const { next, lapsed } = vacancies('bulk', full, NOTHING);
    assert.deepEqual(next, { limit: 0, without: [1] });
    assert.deepEqual(lapsed, { limit: PLACES, without: [] });
  });

  it('are there for all that comes, unless others are waited for', () => {
    const isOpen = (chunks: readonly PlacedChunk[]) => vacancies('bulk', chunks, NOTHING).isOpen;
    assert.equal(isOpen([...held(1, false), ...held(2, true)]), true);
    assert.equal(isOpen(held(1, true, 7, 2)), false, 'a pace is waited for');
    assert.equal(isOpen(held(1, false, 1, 4)), false, 'a credential has its share');
    const many = [1, 2, 3, 4, 5].flatMap((credential) => held(credential, false));
    assert.equal(isOpen(many), false, 'more than half are taken');
    const { isOpen: isStillOpen } = vacancies('bulk', [], { notifications: [7], credentials: [3] });
    assert.equal(isStillOpen, true, 'nothing is leased of what is left alone');
  });

  it('come to no more than a worker may hold, and to nothing of what is left alone', () => {
    const leftAlone = { notifications: [7], credentials: [3] };
    const { next, lapsed, crowded } = vacancies('bulk', held(1, true, 2, 61), leftAlone);
    assert.deepEqual(crowded, { notifications: [2, 7], credentials: [1] });
    assert.deepEqual(lapsed, { limit: 1, without: [3] });
    assert.deepEqual(next, { limit: 2, without: [3] });
    assert.equal(vacancies('bulk', held(1, true, 2, 64), NOTHING).next.limit, 0);
  });
});
