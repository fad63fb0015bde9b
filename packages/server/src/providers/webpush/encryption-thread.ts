// A thread of `encryption-pool.ts`: says `ready`, then takes batches and gives bodies back.
import assert from 'node:assert/strict';
import { parentPort } from 'node:worker_threads';
import { packBodies, unpackMessages } from './encryption-batch.ts';
import { encryptOnce } from './message-encryption.ts';

assert(parentPort !== null, 'this is a thread');
const port = parentPort;
port.on('message', (packed: ArrayBuffer) => {
  const bodies = packBodies(unpackMessages(packed).map(encryptOnce));
  port.postMessage(bodies, [bodies]);
});
port.postMessage('ready');
