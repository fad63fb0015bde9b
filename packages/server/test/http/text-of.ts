import assert from 'node:assert/strict';

/** A member of an answer that has to be text. */
export function textOf(member: unknown): string {
  assert.ok(typeof member === 'string', `not text: ${JSON.stringify(member)}`);
  return member;
}
