import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import type { Watch } from '../site/populate.ts';
import type { MeteredParties } from '../meter.ts';
import type { NeutralServer } from '../neutral/neutral-server.ts';
import { startNginx } from '../neutral/nginx.ts';
import { ApiClient } from '../site/api-client.ts';
import { openSite, type ServedApi, type ServedWorker, type Site } from '../site/site.ts';
import { Receiver, type Arrival } from './receiver.ts';
import { makeTimedUsers, rowsForTimedUsers } from './timed-users.ts';

/** Homing with one API process and one worker, and a provider that notes arrivals. */
export interface LatencyStage {
  readonly site: Site;
  readonly api: ServedApi;
  readonly worker: ServedWorker;
  readonly client: ApiClient;
  readonly nginx: NeutralServer;
  readonly receiver: Receiver;
  readonly interruption: AbortSignal;
}

const STREAMS = 1_000;
/** Only bounds a failure: every push that is looked for here has been accepted by the API. */
const ARRIVAL_DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Everything ends with the stack. Throws when the rows are too few for the timed users. */
export async function openLatencyStage(
  stack: AsyncDisposableStack,
  population: { readonly rows: number; readonly timedUsers: number },
  watch: Watch,
): Promise<LatencyStage> {
  const { rows, timedUsers } = population;
  const least = rowsForTimedUsers(timedUsers);
  if (rows < least) throw new Error(`--rows has to be ${least} at least for these options`);
  const { interruption } = watch;
  const scratch = stack.use(await ScratchDirectory.create());
  const receiver = stack.use(await Receiver.start(interruption));
  const nginx = stack.use(await startNginx({ streams: STREAMS, receiverSocket: receiver.socket }));
  const site = stack.use(
    await openSite(
      scratch,
      {
        rows,
        providers: nginx,
        complete: (db, appRef) => makeTimedUsers(db, appRef, timedUsers),
      },
      watch,
    ),
  );
  const api = stack.use(await site.serveApi());
  const worker = stack.use(await site.startWorker());
  const client = stack.use(new ApiClient(api.url, site.app.secretKey));
  return { site, api, worker, client, nginx, receiver, interruption };
}

/** Whose processor time a round takes when Homing does the work. */
export function homingParties({ api, worker, site, nginx }: LatencyStage): MeteredParties {
  const pids = { worker: worker.pid, api: api.pid, database: site.postgres.pid, nginx: nginx.pid };
  return { pids, ended: null, peakOf: 'worker' };
}

/** Waits until so many pushes arrived since the last time, and returns them. */
export async function takeArrivals(
  { receiver, interruption }: Pick<LatencyStage, 'receiver' | 'interruption'>,
  count: number,
): Promise<readonly Arrival[]> {
  const arrivals: Arrival[] = [];
  const deadlineMs = performance.now() + ARRIVAL_DEADLINE_MS;
  for (;;) {
    arrivals.push(...(await receiver.take()));
    if (arrivals.length >= count) break;
    assert(performance.now() < deadlineMs, `${arrivals.length} of ${count} pushes arrived`);
    await wait(LOOK_EVERY_MS, undefined, { signal: interruption });
  }
  return arrivals;
}
