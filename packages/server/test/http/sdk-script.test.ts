import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startNetwork, type Network } from '../../../../test/network.ts';

const SCRIPT = "addEventListener('push', () => undefined);\n";

describe('the client for web pages', () => {
  let network: Network;
  before(async () => {
    const scripts = new Map([['worker.js', Buffer.from(SCRIPT)]]);
    network = await startNetwork({ overrides: { scripts } });
  });
  after(() => network[Symbol.asyncDispose]());

  it('is served to any page, as a script, to be kept for an hour', async () => {
    const answer = await fetch(`${network.url}/sdk/worker.js`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), SCRIPT);
    const header = (name: string): string | null => answer.headers.get(name);
    assert.equal(header('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(header('cross-origin-resource-policy'), 'cross-origin');
    assert.equal(header('access-control-allow-origin'), '*');
    assert.equal(header('cache-control'), 'public, max-age=3600');
  });

  it('is not sent again to who has it', async () => {
    const { headers } = await fetch(`${network.url}/sdk/worker.js?name=pushpad`);
    const etag = headers.get('etag') ?? '';
    const again = await fetch(`${network.url}/sdk/worker.js`, {
      headers: { 'If-None-Match': etag },
    });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
  });

  it('is nothing else', async () => {
    for (const name of ['homing.js', '', '../package.json', 'worker.js/x']) {
      const answer = await fetch(`${network.url}/sdk/${name}`);
      assert.equal(answer.status, 404, name);
    }
  });
});
