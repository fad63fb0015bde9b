import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readProject } from '../tidy/source-file.ts';
import { DEFECTS, type DefectEntry } from './defects.ts';

const FIRST = 9;
const LAST = 20;
/** A text in a test file that begins with such a number is a title. */
const TITLE = /['"`](T\d+): /g;

const entries: readonly (readonly [string, DefectEntry])[] = Object.entries(DEFECTS);
const files = (await readProject(join(import.meta.dirname, '../..'))).filter(({ path }) =>
  path.endsWith('.test.ts'),
);

test('the list of known defects is complete, and each is said in a sentence', () => {
  const numbers = Array.from({ length: LAST - FIRST + 1 }, (_, index) => `T${FIRST + index}`);
  assert.deepEqual(
    entries.map(([number]) => number),
    numbers,
  );
  for (const [number, { defect }] of entries) assert.match(defect, /^[A-Z].+\.$/, number);
});

test('each test with the number of a defect stands in the list, and the reverse', () => {
  const found = files.flatMap(({ path, text }) =>
    [...text.matchAll(TITLE)].map(([, number]) => `${number} in ${path}`),
  );
  const claimed = entries.flatMap(([number, { shown }]) =>
    shown.filter(({ title }) => title === null).map(({ file }) => `${number} in ${file}`),
  );
  assert.deepEqual(claimed.toSorted(), [...new Set(found)].toSorted());
});

test('each test that the list names by its title is there', () => {
  for (const [number, { shown }] of entries) {
    assert(shown.length > 0, number);
    for (const { file, title } of shown) {
      const text = files.find(({ path }) => path === file)?.text ?? '';
      assert(title === null || text.includes(title), `${number}: ${file} has "${title}"`);
    }
  }
});
