import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRetryAfterMs } from '../../src/providers/retry-after.ts';

const NOW = new Date('2026-05-05T10:00:00Z');

describe('Retry-After', () => {
  it('is read as seconds or as a date', () => {
    assert.equal(parseRetryAfterMs('30', NOW), 30_000);
    assert.equal(parseRetryAfterMs(' 30 ', NOW), 30_000);
    assert.equal(parseRetryAfterMs('Tue, 05 May 2026 10:01:00 GMT', NOW), 60_000);
  });

  it('is kept between one second and one hour', () => {
    assert.equal(parseRetryAfterMs('0', NOW), 1000);
    assert.equal(parseRetryAfterMs('999999999999999', NOW), 3_600_000);
    assert.equal(parseRetryAfterMs('Mon, 04 May 2026 10:00:00 GMT', NOW), 1000);
    assert.equal(parseRetryAfterMs('Wed, 05 May 2027 10:00:00 GMT', NOW), 3_600_000);
  });

  it('is ignored when it is missing or cannot be read', () => {
    for (const field of [undefined, '', 'soon', '-1', '1.5', 'Tue, 99 May']) {
      assert.equal(parseRetryAfterMs(field, NOW), null);
    }
  });
});
