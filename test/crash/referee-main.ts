// The process of the simulators: started by `referee.ts`, which says what its messages mean.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import type { Entry } from '@homing/simulators';
import { loadSimulatorIdentity } from '../../packages/homing/src/simulator-identity.ts';
import { startSimulatorSet } from '../../packages/homing/src/simulator-set.ts';
import { pushIdentity } from '../push-identity.ts';
import { renderTakenPush, type RefereeReply, type RefereeSetting } from './taken-push.ts';

// The test has ended, however it ended: nothing may outlive it.
process.once('disconnect', () => process.exit(0));

const [setting] = (await once(process, 'message')) as [RefereeSetting];
const identity = await loadSimulatorIdentity(setting.identityFile);
const log = openSync(setting.logFile, 'a');
const simulators = await startSimulatorSet({
  identity,
  host: '127.0.0.1',
  firstPort: 0,
  onEntry: (entry) => {
    // At once, and before the client has its answer: what it was told is in the log.
    if (entry.token !== null && entry.accepted) writeSync(log, renderTakenPush(takenPush(entry)));
  },
});
assert(process.send !== undefined, 'started with a channel to its test');
const reply: RefereeReply = { endpoints: simulators.endpoints };
process.send(reply);

function takenPush(entry: Entry) {
  const { atMs, token } = entry;
  return { atMs, token: token ?? '', ...pushIdentity(entry) };
}
