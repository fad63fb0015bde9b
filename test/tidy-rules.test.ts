import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decisionRecordViolations } from './tidy/decision-records.ts';
import { readRefusedWords, wordViolations } from './tidy/glossary.ts';
import {
  folderCycles,
  folderViolations,
  packageViolations,
  readImportTable,
} from './tidy/import-table.ts';
import { linkViolations } from './tidy/link-rule.ts';
import type { SourceFile } from './tidy/source-file.ts';
import { sqlViolations } from './tidy/sql-rule.ts';
import { nameViolations, textViolations } from './tidy/text-rules.ts';
import type { Violation } from './tidy/violation.ts';

const SERVER = 'packages/server/src';

describe('the rules on contents', () => {
  const refused = [
    ['a default export', 'export default function run() {}'],
    ['an enum', 'export enum State { On }'],
    ['a promise of later work', '// TO·DO: later'],
    ['a cast to any', 'run(value as any);'],
    ['an ignored type error', '// @ts·-ignore'],
    ['a silenced lint rule', '// oxlint·-disable-next-line no-shadow'],
    ['a path of one machine', "const root = '/·work/main';"],
    ['a comment that is too long', `// ${'word '.repeat(25)}`],
    ['a barrel', "export { send } from './send.ts';"],
    ['a file that is too long', 'line();\n'.repeat(401)],
  ] as const;
  for (const [title, text] of refused) {
    it(`refuse ${title}`, () => {
      assert.equal(textViolations(source(`${SERVER}/registry/a.ts`, text)).length, 1);
    });
  }

  it('leave alone what only looks alike', () => {
    const text = [
      '// As any reader sees, this is the default export of nothing.',
      "const words = 'export default';",
      'const pattern = /: any /;',
      `it('${'word '.repeat(25)}', () => {});`,
      "const url = 'https://example.org/·work/1';",
    ].join('\n');
    assert.deepEqual(textViolations(source(`${SERVER}/registry/a.ts`, text)), []);
    const barrel = source('packages/protocol/src/index.ts', "export { send } from './send.ts';");
    assert.deepEqual(textViolations(barrel), []);
  });

  it('name the line', () => {
    const [violation] = textViolations(source('scripts/a.ts', 'a();\nb(c as any);\n'));
    assert.equal(violation?.line, 2);
  });
});

it('names of files and folders say what is inside', () => {
  for (const path of ['packages/server/src/utils/a.ts', 'scripts/helpers.ts', 'test/misc/b.ts']) {
    assert.equal(nameViolations(source(path)).length, 1, path);
  }
  assert.equal(nameViolations(source('packages/server/src/http/index.ts')).length, 1);
  assert.deepEqual(nameViolations(source('packages/server/src/index.ts')), []);
  assert.deepEqual(nameViolations(source('packages/client/src/web/index.ts')), []);
});

it('SQL outside the store is found by its tag and by its words', () => {
  const statements = [
    'await db`select 1`;',
    'const part = tx<{ id: number }[]>`and true`;',
    `const text = 'delete from chunk';`,
    'run(`\n  update chunk set attempt = 1`);',
  ];
  for (const text of statements) {
    assert.equal(sqlViolations(source(`${SERVER}/registry/a.ts`, text)).length, 1, text);
    assert.deepEqual(sqlViolations(source(`${SERVER}/store/a.ts`, text)), []);
  }
  const prose = "const hint = 'select a device in the list';\nconst html = `with care`;";
  assert.deepEqual(sqlViolations(source(`${SERVER}/http/a.ts`, prose)), []);
});

describe('the import tables', () => {
  const table = readImportTable(
    '| folder | may import |\n|---|---|\n| `http` | `store`, `feedback/receipts.ts` |\n| `store` | — |\n',
    'folder',
  );

  it('refuse what a folder may not import, and folders that they do not know', () => {
    const file = source(
      `${SERVER}/http/routes/a.ts`,
      [
        `import { a } from '../../store/a.ts';`,
        `import type { b } from '../../feedback/receipts.ts';`,
        `import {\n  c,\n} from '../../feedback/settle.ts';`,
        `import { d } from '../../app.ts';`,
        `import type { E } from '@homing/protocol';`,
        `import { e } from '@homing/protocol';`,
        `import { f } from 'node:fs';`,
      ].join('\n'),
    );
    const unknown = source(`${SERVER}/cellar/a.ts`, '');
    assert.deepEqual(rules(folderViolations([file, unknown], table)), [
      'http/ may not import feedback/settle.ts',
      'http/ may not import app.ts',
      'http/ may not import @homing/protocol',
      'the table knows no folder "cellar"',
    ]);
  });

  it('show a circle of folders once', () => {
    const files = [
      source(`${SERVER}/store/a.ts`, `import { b } from '../registry/b.ts';`),
      source(`${SERVER}/registry/b.ts`, `import type { c } from '../http/c.ts';`),
      source(`${SERVER}/http/c.ts`, `import { a } from '../store/a.ts';`),
    ];
    assert.deepEqual(folderCycles(files), ['http → store → registry → http']);
  });

  it('refuse packages that reach into each other', () => {
    const packages = new Map([['node', ['protocol']]]);
    const text = [
      `import { a } from '@homing/protocol';`,
      `import { b } from '@homing/server';`,
      `import { c } from '../../server/src/app.ts';`,
    ].join('\n');
    const found = packageViolations([source('packages/node/src/a.ts', text)], packages);
    assert.deepEqual(rules(found), [
      'node may not import server',
      'an import by path leaves its package',
    ]);
  });
});

it('refused words are found inside names, and in prose where the glossary says so', () => {
  const refused = readRefusedWords(
    '| refused | where | instead |\n|---|---|---|\n| `tenant` | names and prose | app |\n' +
      '| `delivered` | names | accepted |\n',
  );
  const count = (path: string, text: string) => wordViolations(source(path, text), refused).length;
  assert.equal(count('scripts/a.ts', 'const tenantRef = 1;'), 1);
  assert.equal(count('scripts/a.ts', 'const MAX_TENANTS = 1;'), 1);
  assert.equal(count('scripts/a.ts', 'count.deliveredPushes += 1;'), 1);
  assert.equal(count('scripts/a.ts', `say('It was delivered.'); // Delivered.`), 0);
  assert.equal(count('docs/a.md', 'A tenant is never delivered.'), 1);
  assert.equal(count('docs/glossary.md', 'A tenant is an app.'), 0);
});

it('decision records have consecutive numbers, their number in the title, and a link', () => {
  const index = source('docs/adr/README.md', '- [One](0001-one.md)\n- [Three](0003-three.md)');
  const one = source('docs/adr/0001-one.md', '# 0001: One\n');
  assert.deepEqual(decisionRecordViolations([one, index]), []);
  const three = source('docs/adr/0003-three.md', '# 0003: Three\n');
  assert.deepEqual(rules(decisionRecordViolations([one, three, index])), [
    'the next record has the number 0002',
  ]);
  const two = source('docs/adr/0002-two.md', '# Two\n');
  assert.equal(decisionRecordViolations([one, two, index]).length, 2);
});

it('links between documents need a file, and a heading that it has', () => {
  const target = source('docs/b.md', '# Keys & rotation\n\n```\n# no heading\n```\n');
  const links = (text: string) =>
    rules(
      linkViolations([source('docs/guides/a.md', text), target], (path) => path === target.path),
    );
  const good = ['../b.md', '../b.md#keys--rotation', 'https://example.org/a', 'mailto:a@b.c'];
  assert.deepEqual(links(good.map((to) => `[a](${to})`).join(' ')), []);
  assert.deepEqual(links('```\n[a](nowhere.md)\n```'), []);
  assert.deepEqual(links('[a](b.md)'), ['a link leads nowhere: b.md']);
  assert.deepEqual(links('[a](../b.md#no-heading)'), [
    'a link leads to a heading that is not there: ../b.md#no-heading',
  ]);
});

/**
 * A dot in a word keeps this file itself from breaking the rule; the file that is made has none.
 */
function source(path: string, text = ''): SourceFile {
  return { path, text: text.replaceAll('·', '') };
}

function rules(violations: readonly Violation[]): readonly string[] {
  return violations.map((violation) => violation.rule);
}
