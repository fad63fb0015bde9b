// Notes when pushes arrive, in a process of its own. Argument: the path of the socket that nginx
// passes them on to. Whatever it is asked, it says what arrived since it was asked before. Pushes
// of normal priority are a campaign's, which reaches the phones that are timed as well: not noted.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { monotonicMs } from './monotonic-clock.ts';
import type { Arrival } from './receiver.ts';

const PATH = '/3/device/';

const [socket] = process.argv.slice(2);
assert(socket !== undefined);
let arrivals: Arrival[] = [];
const server = createServer((request, answer) => {
  if (request.headers['apns-priority'] === '10') {
    arrivals.push({ token: (request.url ?? '').slice(PATH.length), atMs: monotonicMs() });
  }
  request.resume();
  answer.writeHead(200).end();
});
// nginx keeps its connections; one that we close is one that it may be about to use.
server.keepAliveTimeout = 0;
server.listen(socket, () => process.send?.({}));
process.on('message', () => {
  process.send?.(arrivals);
  arrivals = [];
});
process.once('disconnect', () => process.exit());
