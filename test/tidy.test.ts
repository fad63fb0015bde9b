import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ENVIRONMENT } from '../packages/server/src/config/env.ts';
import { EVENT_KINDS } from '../packages/server/src/domain/event.ts';
import { decisionRecordViolations } from './tidy/decision-records.ts';
import { readRefusedWords, wordViolations } from './tidy/glossary.ts';
import {
  folderCycles,
  folderViolations,
  packageViolations,
  readImportTable,
} from './tidy/import-table.ts';
import { linkViolations } from './tidy/link-rule.ts';
import { codeNames, readTable } from './tidy/markdown-table.ts';
import { readProject, type SourceFile } from './tidy/source-file.ts';
import { sqlViolations } from './tidy/sql-rule.ts';
import { nameViolations, textViolations } from './tidy/text-rules.ts';
import { violationList, type Violation } from './tidy/violation.ts';

const ROOT = dirname(import.meta.dirname);
let files: readonly SourceFile[] = [];

before(async () => {
  files = await readProject(ROOT);
});

describe('the sources keep the house style', () => {
  test('what a file contains', () => none(files.flatMap(textViolations)));

  test('how files and folders are called', () => none(files.flatMap(nameViolations)));

  test('where SQL is written', () => none(files.flatMap(sqlViolations)));

  test('which words are used', () => {
    const refused = readRefusedWords(document('docs/glossary.md'));
    none(files.flatMap((file) => wordViolations(file, refused)));
  });
});

describe('the architecture is what its document says', () => {
  test('folders of the server import what the table allows', () => {
    const table = readImportTable(document('docs/architecture.md'), 'folder');
    none(folderViolations(files, table));
  });

  test('folders of the server do not depend on each other in circles', () => {
    assert.deepEqual(folderCycles(files), []);
  });

  test('packages import what the table allows', () => {
    const table = readImportTable(document('docs/architecture.md'), 'package');
    none(packageViolations(files, table));
  });
});

describe('documents and code say the same', () => {
  test('decision records are numbered and indexed', () => none(decisionRecordViolations(files)));

  test('links between documents lead somewhere', () => {
    none(linkViolations(files, (path) => existsSync(join(ROOT, path))));
  });

  test('docs/config.md lists the environment variables that the packages read', () => {
    const mentioned = files
      .filter(({ path }) => /^packages\/[^/]+\/src\//.test(path))
      .flatMap(({ text }) => [...text.matchAll(/\bHOMING_[A-Z_]+[A-Z]\b/g)].map(([name]) => name));
    const documented = [...document('docs/config.md').matchAll(/^\| `(\w+)` \|/gm)].map(
      ([, name]) => name ?? '',
    );
    assert.deepEqual(
      documented.toSorted(),
      [...new Set([...Object.keys(ENVIRONMENT), ...mentioned])].toSorted(),
    );
  });

  test('docs/lifecycle.md lists the kinds of events', () => {
    const rows = readTable(document('docs/lifecycle.md'), 'event');
    const documented = (rows ?? []).flatMap(([kinds = '']) => codeNames(kinds));
    assert.deepEqual(documented.toSorted(), EVENT_KINDS.toSorted());
  });

  test('the lockfiles name the public registry only, so that a clone installs anywhere', () => {
    const folders = ['', 'bench/references/', 'packages/client/test/react-native/references/'];
    const text = folders.map((folder) => document(`${folder}package-lock.json`)).join();
    const urls = [...text.matchAll(/"resolved": "(https?:[^"]+)"/g)];
    const others = urls.filter(
      ([, url]) => url?.startsWith('https://registry.npmjs.org/') !== true,
    );
    assert.deepEqual(others, []);
  });
});

function none(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  assert.fail(`${violations.length} places break a rule:\n${violationList(violations)}`);
}

function document(path: string): string {
  const file = files.find((candidate) => candidate.path === path);
  assert.ok(file !== undefined, `${path} is missing`);
  return file.text;
}
