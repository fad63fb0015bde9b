// Uploads a list of many lines and prints what that cost in memory: a process of its own, because
// the server, which runs in that of the test, has memory of its own.
//
//   SECRET_KEY=hmg_sk_… node --expose-gc upload-main.ts URL LINES
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createHoming, type AudienceLine } from '../src/index.ts';

const [baseUrl = '', count = ''] = process.argv.slice(2);
const LINES = Number(count);
const LOOKS = 40;
const MEGABYTE = 1024 * 1024;

const looks: number[] = [];
let characters = 0;

/** What is in use after everything that is not was let go: objects, and the bytes beside them. */
function lookAtMemory(): void {
  assert.ok(globalThis.gc !== undefined, 'run with --expose-gc');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  looks.push((heapUsed + external) / MEGABYTE);
}

/** Each line holds random text, which gzip cannot make small. */
function* crowd(): Generator<AudienceLine> {
  for (let index = 0; index < LINES; index += 1) {
    if (index % Math.ceil(LINES / LOOKS) === 0) lookAtMemory();
    const line = {
      user: `user-${index}`,
      variables: { code: randomBytes(128).toString('base64') },
    };
    characters += JSON.stringify(line).length;
    yield line;
  }
}

const homing = createHoming({ baseUrl, secretKey: process.env['SECRET_KEY'] ?? '' });
const { members } = await homing.audiences.create(crowd());
// The first looks come before everything that an upload needs has been loaded.
const [settled = 0, ...later] = looks.slice(2);
const peak = Math.max(...later);
const megabytes = characters / MEGABYTE;
console.log(JSON.stringify({ members, megabytes, peak, growth: peak - settled }));
