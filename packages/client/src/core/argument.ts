import type { Tags } from './memory.ts';

/**
 * Blanks and serialised absences, which as an id would join strangers in one user; and the steps in
 * a path, which as one could not be named.
 */
const NO_ID = /^(\s*|null|undefined|0|NaN|\[object Object\]|\.\.?)$/;

/**
 * Checks of what an app hands over, by the rules of the HTTP contract: a request that no server
 * takes would hold up whatever is wanted after it. Each throws a `TypeError` that names what it is.
 */
export function requireUserId(id: string): void {
  require(!NO_ID.test(id) && isText(id, 255) && !/[\0\p{Surrogate}]/u.test(id), 'userId');
}

export function requireTags(tags: Tags): void {
  const entries = Object.entries(tags);
  require(entries.length <= 50 && entries.every(isTag), 'tags');
}

/** Two names that no path can hold, because they are steps in it. */
const STEPS = /^\.\.?$/;

export function requireTopic(topic: string): void {
  require(/^[\w.~%:-]{1,128}$/.test(topic) && !STEPS.test(topic), 'topic');
}

function isTag([name, value]: readonly [string, unknown]): boolean {
  return /^[\w.:-]{1,64}$/.test(name) && isText(value, 256);
}

function isText(value: unknown, most: number): boolean {
  return typeof value === 'string' && value.length <= most;
}

function require(isGood: boolean, what: string): void {
  if (!isGood) throw new TypeError(what);
}
