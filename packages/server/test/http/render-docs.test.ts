import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  fieldsOf,
  typeText,
  type ApiDocument,
  type JsonSchema,
} from '../../src/http/api-document.ts';
import { renderDocs } from '../../src/http/render-docs.ts';

function branch(kind: string, ...more: readonly string[]): JsonSchema {
  return {
    type: 'object',
    required: ['kind', ...more],
    properties: { kind: { const: kind }, extra: { type: 'string', maxLength: 9 } },
  };
}

const info = { title: 'Homing', version: '1' };

describe('the documentation page', () => {
  it('escapes whatever the document holds', () => {
    const evil = '"><script>alert(1)</script>';
    const document: ApiDocument = {
      info: { title: evil, version: evil, description: evil },
      paths: {
        [`/${evil}`]: {
          get: {
            tags: [evil],
            summary: evil,
            parameters: [{ name: evil, in: 'path', description: evil }],
            responses: { 200: { description: evil } },
          },
        },
      },
    };
    const page = renderDocs(document);
    assert.doesNotMatch(page, /<script/);
    assert.match(page, /&lt;script&gt;/);
  });

  it('groups operations by tag and shows each once', () => {
    const operation = { tags: ['users'], responses: { 204: { description: 'Default Response' } } };
    const page = renderDocs({
      info,
      paths: { '/a': { get: operation, put: operation }, '/b': { get: {} } },
    });
    assert.deepEqual(
      [...page.matchAll(/<code>([A-Z]+ [^<]+)<\/code>/g)].map(([, heading]) => heading),
      ['GET /a', 'PUT /a', 'GET /b'],
    );
    assert.deepEqual(
      [...page.matchAll(/<section id="([^"]+)"/g)].map(([, tag]) => tag),
      ['users', 'other'],
    );
  });
});

describe('the fields of a schema', () => {
  it('include those of members, of array entries and of what is referred to', () => {
    const schemas = { Point: { type: 'object', properties: { x: { type: 'number' } } } };
    const schema = {
      type: 'object',
      required: ['list'],
      properties: {
        list: { type: 'array', items: { $ref: '#/components/schemas/Point' } },
        one: { $ref: '#/components/schemas/Point' },
      },
    };
    assert.deepEqual(
      fieldsOf(schema, schemas).map(({ path, type, required }) => [path, type, required]),
      [
        ['list', 'array of object', true],
        ['list[].x', 'number', false],
        ['one', 'object', false],
        ['one.x', 'number', false],
      ],
    );
  });

  it('of a union are required only where every branch requires them', () => {
    const fields = fieldsOf({ anyOf: [branch('a', 'extra'), branch('b'), { type: 'null' }] }, {});
    assert.deepEqual(fields, [
      { path: 'kind', type: '"a" or "b"', required: true, note: '' },
      { path: 'extra', type: 'string', required: false, note: 'at most 9 characters' },
    ]);
  });

  it('end where a schema refers to itself', () => {
    const node = { type: 'object', properties: { next: { $ref: 'Node' } } };
    assert.equal(fieldsOf(node, { Node: node }).at(-1)?.path.split('.').length, 6);
  });

  it('name unknown references as anything', () => {
    assert.equal(typeText({ $ref: '#/components/schemas/constructor' }, {}), 'any');
  });
});
