import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireTopic, requireUserId } from '../../src/core/argument.ts';

const FAULT = { name: 'TypeError' };

test('what no server takes as a user is refused before it holds up what comes after it', () => {
  for (const id of ['', ' ', 'null', 'undefined', '0', 'NaN', '.', '..', 'x'.repeat(256), 'a\0b']) {
    assert.throws(() => requireUserId(id), FAULT, JSON.stringify(id));
  }
  for (const id of ['anna', '1', '...', '.a', 'Anna ', 'nullable', 'ä', 'x'.repeat(255)]) {
    requireUserId(id);
  }
});

test('so is what no path can name as a topic', () => {
  for (const topic of ['', '.', '..', 'a b', 'a/b', 'x'.repeat(129)]) {
    assert.throws(() => requireTopic(topic), FAULT, JSON.stringify(topic));
  }
  for (const topic of ['news', '...', '.a', 'a.b']) requireTopic(topic);
});
