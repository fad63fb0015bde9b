// A contestant in a process of its own, so that processor time and memory are its alone. Arguments:
// its name and its target as JSON. Says `ready`, then the seconds of each run that it is told.
import assert from 'node:assert/strict';
import { openFirebaseAdmin } from './firebase-admin.ts';
import { openHomingFcm } from './homing-fcm.ts';
import { openHomingPool } from './homing-pool.ts';
import { openNodeApn } from './node-apn.ts';
import { openNodeHttp2 } from './node-http2.ts';
import type { Sender, SenderTarget } from './sender.ts';
import type { SenderName, SenderRequest } from './sender-process.ts';

const SENDERS: Readonly<Record<SenderName, (target: SenderTarget) => Promise<Sender>>> = {
  homing: openHomingPool,
  'homing FCM': openHomingFcm,
  'firebase-admin': openFirebaseAdmin,
  'node:http2': openNodeHttp2,
  '@parse/node-apn': openNodeApn,
};

const [name, target] = process.argv.slice(2);
assert(name !== undefined && name in SENDERS && target !== undefined);
const sender = await SENDERS[name as SenderName](JSON.parse(target) as SenderTarget);
process.on('message', (request: SenderRequest) => void run(request.count));
// Whoever measured it wants no more of it; nothing is under way between runs.
process.once('disconnect', () => process.exit());
process.send?.({ kind: 'ready' });

async function run(count: number): Promise<void> {
  const startedAtMs = performance.now();
  try {
    await sender.run(count);
    process.send?.({ kind: 'done', seconds: (performance.now() - startedAtMs) / 1000 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.send?.({ kind: 'failed', why });
  }
}
