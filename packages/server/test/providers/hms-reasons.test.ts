import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { HmsAnswer } from '../../src/providers/hms/connection.ts';
import { readVerdict, REASONS, type HmsVerdict } from '../../src/providers/hms/reasons.ts';

const NOW = new Date('2026-05-05T10:00:00Z');

function read(body: string, more: Partial<HmsAnswer> = {}): HmsVerdict {
  const headers = { retryAfter: undefined, date: undefined };
  const answer = { kind: 'answer', status: 200, ...headers, isWhole: true } as const;
  return readVerdict({ ...answer, body, ...more }, NOW);
}

function coded(code: unknown, msg: unknown = 'x', requestId: unknown = 'r1'): string {
  return JSON.stringify({ code, msg, requestId });
}

function partial(report: unknown): HmsVerdict {
  return read(coded('80100000', JSON.stringify(report)));
}

function spelt(outcome: Outcome): string {
  assert('code' in outcome);
  return `${outcome.kind} ${outcome.code}`;
}

function kindAndCode(verdict: HmsVerdict): string {
  assert(verdict.kind === 'refused');
  return spelt(verdict.outcome);
}

describe('an answer of Push Kit', () => {
  it('is a success by its code, as text or as a number', () => {
    for (const code of ['80000000', 80000000]) {
      const verdict = read(coded(code));
      assert(verdict.kind === 'taken');
      assert.equal(verdict.providerId, 'r1');
      assert.equal(verdict.illegal.size, 0);
    }
  });

  it('names the illegal tokens in JSON within a string', () => {
    const verdict = partial({ success: 3, failure: 1, illegal_tokens: ['a', 7, 'b'] });
    assert(verdict.kind === 'taken');
    assert.deepEqual([...verdict.illegal], ['a', 'b']);
  });

  it('leaves everybody in doubt when it does not say which of the tokens are illegal', () => {
    const inDoubt = 'unknown 80100000:unreadable';
    assert.equal(kindAndCode(partial({ success: 3, failure: 1 })), inDoubt);
    assert.equal(kindAndCode(partial(null)), inDoubt);
    assert.equal(kindAndCode(read(coded('80100000', 'Illegal token'))), inDoubt);
    assert.equal(kindAndCode(read(coded('80100000', { illegal_tokens: ['a'] }))), inDoubt);
  });

  it('leaves everybody in doubt when it has no code and no error of HTTP either', () => {
    for (const body of ['', '<html>', '{}', 'null', '{"code":null}']) {
      assert.equal(kindAndCode(read(body)), 'unknown no_code');
    }
    assert.equal(kindAndCode(read('', { isWhole: false })), 'unknown no_code');
  });

  it('says nothing about anybody when an error was cut off', () => {
    const cutOff = { isWhole: false } as const;
    assert.equal(kindAndCode(read('', { ...cutOff, status: 401 })), 'unclassified cut_off');
    assert.equal(kindAndCode(read('', { ...cutOff, status: 503 })), 'throttled 503');
  });

  it('goes by the code rather than the status, and by the status for want of a code', () => {
    assert.equal(kindAndCode(read(coded('81000001'), { status: 503 })), 'transient 81000001');
    assert.equal(kindAndCode(read(coded('80999999'), { status: 503 })), 'throttled 80999999');
    assert.equal(kindAndCode(read(coded('80999999'))), 'unclassified 80999999');
    assert.equal(kindAndCode(read('', { status: 418 })), 'unclassified 418');
  });

  it('may say how long to wait', () => {
    const verdict = read('', { status: 503, retryAfter: '30' });
    assert(verdict.kind === 'refused' && verdict.outcome.kind === 'throttled');
    assert.equal(verdict.outcome.retryAfterMs, 30_000);
  });

  it('that stands for opposite things is told by whether the credential works for others', () => {
    const expected = {
      80300007: ['token_dead 80300007', 'token_mismatch 80300007'],
      80300002: ['token_mismatch 80300002', 'auth 80300002'],
    };
    for (const [code, [whileWorking, otherwise]] of Object.entries(expected)) {
      const verdict = read(coded(code));
      assert(verdict.kind === 'token_refused');
      assert.equal(spelt(verdict.whileWorking), whileWorking);
      assert.equal(spelt(verdict.otherwise), otherwise);
    }
  });

  it('tells a person for each row what it means and what to do', () => {
    for (const { meaning, fix } of Object.values(REASONS)) {
      assert.match(meaning, /^[^A-Z].*[^.]$/);
      assert.match(fix ?? '', /^[A-Z].*\.$/);
    }
  });

  it('survives every body', () => {
    const bodies = ['', '[]', '1', '{"code":{}}', '{"code":"__proto__"}', '{"code":"","msg":[]}'];
    for (const body of bodies) {
      for (const status of [200, 302, 400, 401, 404, 418, 429, 500, 502, 503]) {
        const verdict = read(body, { status });
        assert(verdict.kind === 'refused');
        assert.notEqual(verdict.outcome.kind, 'token_dead');
      }
    }
  });
});
