import assert from 'node:assert/strict';
import { ERRORS, type ErrorCode } from '@homing/protocol';
import type { Answer } from '../../../../test/answer.ts';
import { textOf } from './text-of.ts';

/**
 * Fails unless an answer is the problem document (RFC 9457) of this error, complete in every
 * member.
 */
export function assertProblem(answer: Answer, code: ErrorCode, pointer?: string): void {
  const { body } = answer;
  const shown = JSON.stringify(body);
  assert.equal(body['code'], code, shown);
  assert.equal(answer.status, ERRORS[code].status, shown);
  assert.equal(body['status'], answer.status, shown);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(body['title'], ERRORS[code].title);
  assert.match(textOf(body['type']), new RegExp(`/errors/${code}$`));
  assert.ok(textOf(body['detail']).length > 0, shown);
  assert.ok(body['instance'], shown);
  assert.equal(body['instance'], answer.headers.get('x-request-id'));
  if (pointer === undefined) return;
  const problems = body['errors'] as unknown as readonly { pointer: string; detail: string }[];
  const pointers = problems?.map((problem) => problem.pointer) ?? [];
  assert.ok(pointers.includes(pointer), `no error at ${pointer}: ${shown}`);
  assert.ok(
    problems.every(({ detail }) => detail.length > 0),
    shown,
  );
}
