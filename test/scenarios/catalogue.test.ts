import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readProject } from '../tidy/source-file.ts';
import { CATALOGUE, type CatalogueEntry } from './catalogue.ts';

/** All numbers there are, so that a line lost from the catalogue is noticed; group by group. */
const NUMBERS = [
  'S01 S02 S04 S05 S06 S08 S09 S12 S15 S17 S18 S21',
  'S23 S24 S26 S28 S29 S30 S31 S32 S33 S34 S35 S37 S39 S42 S44',
  'S46 S48 S49 S51 S55 S56 S57 S58 S59 S60 S61 S62 S63 S64 S65',
  'S67 S70 S72 S73',
  'S77 S78 S79 S80 S81 S82 S83',
  'S84 S86 S87',
  'S89 S90 S91',
  'S92',
].flatMap((group) => group.split(' '));
/** A text in a test file that begins with the number of a case is, or becomes, a title. */
const TITLE = /['"`](S\d\d):? /g;

const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(CATALOGUE);

test('the catalogue names every case, in order', () => {
  assert.deepEqual(
    entries.map(([number]) => number),
    NUMBERS,
  );
});

test('each numbered test stands in the catalogue, and nothing stands there that is no test', async () => {
  const files = await readProject(join(import.meta.dirname, '../..'));
  const found = new Set(
    files
      .filter(({ path }) => path.endsWith('.test.ts') && !path.endsWith('/catalogue.test.ts'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(TITLE)].map(([, number]) => `${number} in ${path}`),
      ),
  );
  const claimed = entries.flatMap(([number, entry]) =>
    entry.kind === 'marked' ? [] : entry.in.map((file) => `${number} in ${file}`),
  );
  assert.deepEqual(claimed.toSorted(), [...found].toSorted());
});

test('what is missing of a case is said in a sentence', (t) => {
  const partial = entries.filter(([, entry]) => entry.kind !== 'shown');
  for (const [number, entry] of partial) {
    assert.ok(entry.kind !== 'shown' && /^[A-Z].+\.$/.test(entry.rest), number);
  }
  const count = (kind: CatalogueEntry['kind']): number =>
    entries.filter(([, entry]) => entry.kind === kind).length;
  t.diagnostic(
    `${count('shown')} shown, ${count('in_part')} in part, ${count('marked')} marked of ${NUMBERS.length}`,
  );
});
