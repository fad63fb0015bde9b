import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { addresseeTag } from '../../packages/server/src/domain/addressee-tag.ts';
import { startNetwork, type Network } from '../network.ts';
import { CATALOGUE } from '../scenarios/catalogue.ts';
import { codeNames, readTable } from '../tidy/markdown-table.ts';
import { readGuide, readGuides, type Block } from './guide.ts';
import { isReplayed, replay, type GuideScene } from './replay.ts';

const guides = readGuides();
/** Those that show what goes over the wire, and nothing that is not tried. */
const REPLAYED = ['http.md', 'kotlin.md', 'rules.md', 'swift.md'];
/** What else they may show: `kotlin.test.ts` runs the one, and nothing here compiles the other. */
const CODE: ReadonlySet<string> = new Set(['kotlin', 'swift']);

let network: Network;

before(async () => {
  network = await startNetwork();
});
after(() => network?.[Symbol.asyncDispose]());

async function newScene(): Promise<GuideScene> {
  return { network, app: await network.provision() };
}

for (const guide of guides.filter(({ blocks }) => blocks.some(isReplayed))) {
  test(`the exchanges of ${guide.name} go as they are printed`, async () => {
    await replay(guide, await newScene());
  });
}

describe('a guide is found out', () => {
  const enrolment = `PUT /v1/installations/{installation_id}
Authorization: Bearer {publishable_key}
Homing-Installation-Secret: {installation_secret}
Content-Type: application/json

{"seq": 1, "token": {"provider": "fcm", "value": "{fcm_token}"},
 "user": {"id": "anna", "assertion": "{assertion_of_anna}"}}
`;
  const notification = `POST /v1/notifications
Authorization: Bearer {secret_key}
Content-Type: application/json

{"audience": {"users": ["anna"]}, "content": {"title": "News"}, "options": {"silent": true}}

HTTP/1.1 202 Accepted
`;
  const enrolled = exchange(`${enrolment}\nHTTP/1.1 201 Created\n`);
  const wrong = [
    ['whose status is wrong', [exchange(`${enrolment}\nHTTP/1.1 200 OK\n`)]],
    [
      'whose field is wrong',
      [exchange(`${enrolment}\nHTTP/1.1 201 Created\n\n{"applied": {"user": false}}\n`)],
    ],
    ['that shows a push nobody gets', [enrolled, exchange(notification), push('{"title": "x"}')]],
    ['that hides a push', [enrolled, exchange(notification), push('null')]],
    ['that leaves an answer out', [exchange(enrolment)]],
  ] as const;
  for (const [title, blocks] of wrong) {
    test(title, async () => {
      const guide = { name: 'planted.md', text: '', blocks };
      await assert.rejects(replay(guide, await newScene()), assert.AssertionError);
    });
  }
  test('unless it is right', async () => {
    const shown = push('{"homing_rcpt": "{tag_of_anna}"}');
    const blocks = [enrolled, exchange(notification), shown];
    await replay({ name: 'planted.md', text: '', blocks }, await newScene());
  });
});

describe('the guides', () => {
  test('for apps without an SDK show nothing that is not tried', () => {
    for (const name of REPLAYED) {
      const { blocks } = readGuide(name);
      assert.ok(blocks.some(isReplayed), name);
      const untried = blocks.filter((block) => !isReplayed(block) && !CODE.has(block.language));
      assert.deepEqual(untried, [], name);
    }
  });

  test('are all in the index', () => {
    const index = readGuide('README.md').text;
    const missing = guides.filter(
      ({ name }) => name !== 'README.md' && !index.includes(`](${name})`),
    );
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  test('name scenarios that are in the catalogue', () => {
    const unknown = guides.flatMap(({ name, text }) =>
      [...text.matchAll(/\bS\d\d\b/g)]
        .filter(([number]) => !Object.hasOwn(CATALOGUE, number))
        .map(([number]) => `${name}: ${number}`),
    );
    assert.deepEqual(unknown, []);
  });

  for (const [name, why] of [
    ['swift.md', 'there is no Swift compiler to compute them'],
    ['kotlin.md', 'its code computes the same, see kotlin.test.ts'],
  ] as const) {
    test(`the addressee tags of ${name} are the server's; ${why}`, () => {
      const rows = readTable(readGuide(name).text, 'installation secret') ?? [];
      assert.ok(rows.length >= 3);
      for (const row of rows) {
        const [secret = '', userId = '', tag] = row.flatMap(codeNames);
        assert.equal(tag, addresseeTag(hash('sha256', secret, 'buffer'), userId), row.join(' '));
      }
    });
  }
});

function exchange(text: string): Block {
  return { language: 'http', role: '', text, line: 1 };
}

function push(text: string): Block {
  return { language: 'json', role: 'push', text, line: 1 };
}
