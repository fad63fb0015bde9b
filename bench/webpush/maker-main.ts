// A contestant in a process of its own, so that processor time is its alone. Argument: its name.
// Says `ready`, then the seconds of each run that it is told.
import assert from 'node:assert/strict';
import { openHomingMaker } from './homing-maker.ts';
import type { Maker, MakerName, MakerRequest } from './maker.ts';
import { openWebPushMaker } from './web-push-maker.ts';

const MAKERS: Readonly<Record<MakerName, () => Promise<Maker>>> = {
  homing: () => openHomingMaker(0),
  'homing, threads': () => openHomingMaker(null),
  'web-push': openWebPushMaker,
};

const [name] = process.argv.slice(2);
assert(name !== undefined && name in MAKERS);
const maker = await MAKERS[name as MakerName]();
process.on('message', (request: MakerRequest) => void run(request.count));
// Whoever measured it wants no more of it; nothing is under way between runs.
process.once('disconnect', () => process.exit());
process.send?.({ kind: 'ready' });

async function run(count: number): Promise<void> {
  const startedAtMs = performance.now();
  try {
    await maker.make(count);
    process.send?.({ kind: 'done', seconds: (performance.now() - startedAtMs) / 1000 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.send?.({ kind: 'failed', why });
  }
}
