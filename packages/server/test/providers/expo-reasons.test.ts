import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyItem, classifyRefusal, REASONS } from '../../src/providers/expo/reasons.ts';

const NOW = new Date('2026-05-05T10:00:00Z');

function classify(status: number, body: string, retryAfter?: string) {
  return classifyRefusal({ kind: 'answer', status, body, retryAfter, isWhole: true }, NOW);
}

function errors(code: string, details?: unknown): string {
  return JSON.stringify({ errors: [{ code, message: `says ${code}`, details }] });
}

describe('a refusal of Expo', () => {
  it('goes by its code, whatever the status is', () => {
    for (const status of [200, 400, 401, 403, 409]) {
      const { outcome } = classify(status, errors('UNAUTHORIZED'));
      assert.equal(outcome.kind, 'auth', String(status));
    }
    assert.equal(classify(503, errors('TOO_MANY_REQUESTS')).outcome.kind, 'throttled');
  });

  it('goes by its status where there is no code, as from a front end', () => {
    const kinds = [400, 401, 403, 413, 429, 500, 503, 302, 418].map(
      (status) => classify(status, '<html>').outcome.kind,
    );
    assert.deepEqual(kinds, [
      'payload',
      'auth',
      'auth',
      'payload',
      'throttled',
      'transient',
      'transient',
      'unclassified',
      'unclassified',
    ]);
  });

  it('is unclassified with a status and a code that nobody knows', () => {
    const { outcome } = classify(409, errors('BRAND_NEW'));
    assert.deepEqual(outcome, { kind: 'unclassified', status: 409, code: 'BRAND_NEW' });
  });

  it('says for how long to wait', () => {
    const { outcome } = classify(429, errors('TOO_MANY_REQUESTS'), '7');
    assert(outcome.kind === 'throttled');
    assert.deepEqual([outcome.retryAfterMs, outcome.scope], [7000, 'credential']);
  });

  it('says whose each token is, where it says so in a form that can be read', () => {
    const code = 'PUSH_TOO_MANY_EXPERIENCE_IDS';
    const { tokensByProject } = classify(400, errors(code, { '@a/b': ['x', 1], '@c/d': 'y' }));
    assert.deepEqual(Object.fromEntries(tokensByProject ?? []), { '@a/b': ['x'], '@c/d': [] });
    assert.equal(classify(400, errors(code)).tokensByProject, null);
    assert.equal(classify(400, errors('OTHER', { '@a/b': ['x'] })).tokensByProject, null);
  });

  it('never breaks the program, whatever the body is', () => {
    for (const body of ['', 'null', '[]', '{"errors":1}', '{"errors":[]}', '{"errors":[null]}']) {
      assert.equal(classify(400, body).outcome.kind, 'payload', body);
    }
  });
});

describe('a ticket or a receipt of Expo', () => {
  it('that is in order names the push', () => {
    assert.deepEqual(classifyItem('ticket', '', { status: 'ok', id: 'a' }), {
      kind: 'accepted',
      providerId: 'a',
    });
    assert.deepEqual(classifyItem('receipt', 'b', { status: 'ok' }), {
      kind: 'accepted',
      providerId: 'b',
    });
  });

  it('leaves in doubt what became of a push that it says is in order, but does not name', () => {
    for (const item of [{ status: 'ok' }, { status: 'ok', id: '' }, { status: 'ok', id: 1 }]) {
      const expected = { kind: 'unknown', code: 'ticket_without_id', status: 200 };
      assert.deepEqual(classifyItem('ticket', '', item), expected);
    }
  });

  it('means the same in both places, and says where it was', () => {
    const item = { status: 'error', message: '…', details: { error: 'ProviderError' } };
    assert.deepEqual(classifyItem('ticket', '', item), {
      kind: 'unclassified',
      status: 200,
      code: 'ticket:ProviderError',
    });
  });

  it('that nobody knows touches no token', () => {
    for (const item of [null, 'x', {}, { status: 'error' }, { status: 'error', details: 1 }]) {
      assert.equal(classifyItem('receipt', 'a', item).kind, 'unclassified', JSON.stringify(item));
    }
    const inherited = { status: 'error', details: { error: 'toString' } };
    assert.equal(classifyItem('receipt', 'a', inherited).kind, 'unclassified');
  });

  it('has a sentence for people and one on what to do, each of them', () => {
    for (const [key, { meaning, fix }] of Object.entries(REASONS)) {
      assert.match(meaning, /^\S.*[^.]$/, key);
      assert.match(fix ?? '', /^[A-Z].*\.$/, key);
    }
  });
});
