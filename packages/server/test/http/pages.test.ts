import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { ERROR_HELP, ERRORS } from '@homing/protocol';
import { request, type Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

/** Nothing on a page may run, load or frame, and its one style is the one that the policy allows. */
function assertStrict(page: Answer): void {
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const text = String(page.body);
  assert.doesNotMatch(text, /<script|\son\w+=|\sstyle=|src=|https?:/i);
  const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style = '']) => style);
  assert.equal(styles.length, 1);
  const digest = createHash('sha256').update(styles.join('')).digest('base64');
  assert.ok(policy.includes(`'sha256-${digest}'`));
}

describe('the pages of the server', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  const get = (path: string) => request(`${network.url}${path}`);

  it('include one for each error code', async () => {
    for (const code of Object.keys(ERRORS) as (keyof typeof ERRORS)[]) {
      const page = await get(`/errors/${code}`);
      assertAnswered(page, 200);
      assertStrict(page);
      const text = String(page.body);
      assert.ok(text.includes(String(ERRORS[code].status)) && text.includes(code));
      const words = ERROR_HELP[code].meaning.split(/[`']/)[0] ?? '';
      assert.ok(text.includes(words), code);
    }
  });

  it('are where the type of a problem leads', async () => {
    const problem = await get('/v1/users/anna');
    assertAnswered(problem, 401);
    assertAnswered(await request(String(problem.body['type'])), 200);
  });

  it('know no other error codes', async () => {
    for (const code of ['nonsense', 'constructor', '__proto__', '%3Cscript%3E']) {
      const answer = await get(`/errors/${code}`);
      assertAnswered(answer, 404);
      assert.equal(answer.body['code'], 'not_found');
    }
  });

  it('document every operation of the contract', async () => {
    const page = await get('/docs');
    assertAnswered(page, 200);
    assertStrict(page);
    const contract = await get('/openapi.json');
    const paths = contract.body['paths'] as unknown as Record<string, Record<string, unknown>>;
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        const heading = `<code>${method.toUpperCase()} ${path}</code>`;
        assert.ok(String(page.body).includes(heading), heading);
      }
    }
    assert.match(String(page.body), /<code>token\.environment<\/code>/);
    assert.match(String(page.body), /<code>receipts\[\]\.kind<\/code>/);
  });
});
