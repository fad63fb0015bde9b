import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { ERROR_HELP, ERRORS } from '@homing/protocol';
import { startNetwork, type Network } from '../../../../test/network.ts';

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function fetchPage(url: string): Promise<Page> {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * Nothing on a page may run, load or frame, and its one style is the one that the policy allows.
 */
function assertStrict({ headers, text }: Page): void {
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
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

  const get = (path: string) => fetchPage(`${network.url}${path}`);

  it('include one for each error code', async () => {
    for (const code of Object.keys(ERRORS) as (keyof typeof ERRORS)[]) {
      const page = await get(`/errors/${code}`);
      assert.equal(page.status, 200);
      assertStrict(page);
      const { text } = page;
      assert.ok(text.includes(String(ERRORS[code].status)) && text.includes(code));
      const words = ERROR_HELP[code].meaning.split(/[`']/)[0] ?? '';
      assert.ok(text.includes(words), code);
    }
  });

  it('are where the type of a problem leads', async () => {
    const problem = await get('/v1/users/anna');
    assert.equal(problem.status, 401);
    const { type, title } = JSON.parse(problem.text) as { type: string; title: string };
    const page = await fetchPage(type);
    assert.equal(page.status, 200);
    assert.ok(page.text.includes(`<h1>${title}</h1>`));
  });

  it('know no other error codes', async () => {
    for (const code of ['nonsense', 'constructor', '__proto__', '%3Cscript%3E']) {
      const answer = await get(`/errors/${code}`);
      assert.equal(answer.status, 404);
      assert.match(answer.text, /"code":"not_found"/);
    }
  });

  it('document every operation of the contract', async () => {
    const page = await get('/docs');
    assert.equal(page.status, 200);
    assertStrict(page);
    const contract = await get('/openapi.json');
    const { paths } = JSON.parse(contract.text) as { paths: Record<string, object> };
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        const heading = `<code>${method.toUpperCase()} ${path}</code>`;
        assert.ok(page.text.includes(heading), heading);
      }
    }
    assert.match(page.text, /<code>token\.environment<\/code>/);
    assert.match(page.text, /<code>receipts\[\]\.kind<\/code>/);
  });
});
