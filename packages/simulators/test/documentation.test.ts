import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import {
  APNS_SENTINELS,
  EXPO_SENTINELS,
  FCM_SENTINELS,
  HMS_SENTINELS,
  WEB_PUSH_SENTINELS,
} from '../src/index.ts';

const page = new URL('../../../docs/simulator-differences.md', import.meta.url);
const text = await readFile(page, 'utf8');

/** The first two cells of every row below a heading that begins with a code span. */
function rowsBelow(heading: string): readonly (readonly [string, string])[] {
  const section = text.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(
    ([, prefix = '', meaning = '']) => [prefix, meaning],
  );
}

describe('the page on simulators', () => {
  const tables = [
    ['APNs', APNS_SENTINELS],
    ['FCM', FCM_SENTINELS],
    ['HMS', HMS_SENTINELS],
    ['Web Push', WEB_PUSH_SENTINELS],
    ['Expo', EXPO_SENTINELS],
  ] as const;
  for (const [heading, sentinels] of tables) {
    it(`lists exactly the sentinel tokens of ${heading}`, () => {
      assert.deepEqual(
        rowsBelow(heading),
        sentinels.map(({ prefix, meaning }) => [prefix, meaning]),
      );
    });
  }

  it('can trust that sentinels are valid and no two share a prefix', () => {
    for (const { prefix } of APNS_SENTINELS) assert.match(prefix, /^[0-9a-f]{8}$/);
    for (const { prefix } of [...FCM_SENTINELS, ...HMS_SENTINELS, ...WEB_PUSH_SENTINELS]) {
      assert.match(prefix, /^sim-[a-z0-9-]+:$/);
    }
    for (const { prefix } of EXPO_SENTINELS) {
      assert.match(prefix, /^ExponentPushToken\[sim-[a-z0-9-]+:$/);
    }
    for (const [, sentinels] of tables) {
      const prefixes = sentinels.map(({ prefix }) => prefix);
      assert.equal(new Set(prefixes).size, prefixes.length);
    }
  });
});
