import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ERROR_HELP, ERRORS, type ErrorCode } from '../src/index.ts';

const page = new URL('../../../docs/errors.md', import.meta.url);
const text = await readFile(page, 'utf8');
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Every row of the page's table whose first cell is a code, as it should read. */
function documentedRows(): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith('| `'));
}

function expectedRow(code: ErrorCode): string {
  const { status, title } = ERRORS[code];
  const { meaning, remedy } = ERROR_HELP[code];
  return `| \`${code}\` | ${status} | ${title} | ${meaning} | ${remedy} |`;
}

describe('the page on errors', () => {
  it('says for each error of the API exactly what the served page says, and knows no others', () => {
    assert.deepEqual(documentedRows(), CODES.map(expectedRow));
  });

  it('can hold every text, since none contains what would end a cell', () => {
    for (const { meaning, remedy } of Object.values(ERROR_HELP)) {
      assert.doesNotMatch(meaning + remedy, /[|\n]/);
    }
  });

  it('marks code in pairs of backquotes', () => {
    for (const { meaning, remedy } of Object.values(ERROR_HELP)) {
      assert.equal(meaning.split('`').length % 2, 1, meaning);
      assert.equal(remedy.split('`').length % 2, 1, remedy);
    }
  });
});
