import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createApp, createLogger } from '@homing/server';
import { request } from '../../../../test/answer.ts';
import { startNetwork } from '../../../../test/network.ts';

type Json = Readonly<Record<string, unknown>>;

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const document = (await request(`${network.url}/openapi.json`)).body as unknown as Json;

interface Operation {
  readonly name: string;
  readonly path: string;
  readonly value: Json;
}

const operations: readonly Operation[] = Object.entries(document['paths'] as Json).flatMap(
  ([path, item]) =>
    Object.entries(item as Json).map(([method, value]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      value: value as Json,
    })),
);

function parametersOf(operation: Operation, place: string): readonly Json[] {
  const all = (operation.value['parameters'] ?? []) as readonly Json[];
  return all.filter((parameter) => parameter['in'] === place);
}

test('the document is OpenAPI 3.1 with what that requires', () => {
  assert.match(String(document['openapi']), /^3\.1\.\d+$/);
  const info = document['info'] as Json;
  assert.ok(String(info['title']).length > 0 && String(info['version']).length > 0);
  for (const { name, value } of operations) {
    assert.match(name, /^(GET|PUT|POST|PATCH|DELETE) \//);
    const responses = Object.entries(value['responses'] as Json);
    assert.ok(responses.length > 0, name);
    for (const [status, response] of responses) {
      assert.match(status, /^[1-5]\d\d$|^default$/);
      assert.equal(typeof (response as Json)['description'], 'string', name);
    }
  }
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  for (const [, reference = ''] of references) {
    assert.match(reference, /^#\//);
    const target = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, part) => (at as Json | undefined)?.[part], document);
    assert.notEqual(target, undefined, reference);
  }
});

test('the document names the routes that are registered, and no other', async () => {
  const { config } = network;
  const secrets = { masterKey: randomBytes(32) };
  await using app = createApp(config, secrets, { logger: createLogger('silent') });
  const registered: string[] = [];
  app.http.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) registered.push(`${one} ${url}`);
  });
  await app.start();
  // HEAD comes with GET, and a preflight is the browser's business.
  const documented = registered
    .filter((route) => !/^(HEAD|OPTIONS) /.test(route))
    .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
  assert.deepEqual(operations.map(({ name }) => name).toSorted(), documented.toSorted());
  assert.ok(documented.length >= 30);
});

test('every operation has one tag, and the parameters that its path names', () => {
  for (const operation of operations) {
    const tags = operation.value['tags'] as readonly string[];
    assert.equal(tags?.length, 1, operation.name);
    const named = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = parametersOf(operation, 'path');
    assert.deepEqual(
      new Set(declared.map((parameter) => parameter['name'])),
      new Set(named),
      operation.name,
    );
    assert.ok(declared.every((parameter) => parameter['required'] === true));
  }
});

test('every operation of the API shows its answer when all went well', () => {
  const shown = operations.filter(
    ({ value }) => !(value['tags'] as string[]).includes('operations'),
  );
  for (const { name, value } of shown) {
    const successes = Object.entries(value['responses'] as Json).filter(([status]) =>
      status.startsWith('2'),
    );
    assert.ok(successes.length > 0, name);
    for (const [status, response] of successes) {
      const content = (response as Json)['content'] as Json | undefined;
      if (status === '204') assert.equal(content, undefined, name);
      else assert.ok(content !== undefined, `${name} shows no ${status}`);
    }
  }
});

test('every operation that takes a body shows it', () => {
  const bodiless = /(credential_id\}\/verify|cancel|pause|resume|close|reviews|topics\/\{topic\})$/;
  for (const { name, path, value } of operations) {
    if (
      !/^(PUT|POST|PATCH) /.test(name) ||
      (bodiless.test(path) && !path.includes('installation'))
    ) {
      continue;
    }
    const body = value['requestBody'] as Json | undefined;
    const type = path === '/v1/audiences' ? 'application/x-ndjson' : 'application/json';
    assert.ok(body !== undefined && type in (body['content'] as Json), name);
  }
});
