import { dispose, start, wake } from '../core/device.ts';
import { settled } from '../core/engine.ts';
import { logoutLane } from '../core/logout-lane.ts';
import type { PushClient, PushEnvelope } from '../core/push-client.ts';
import { receiptLane } from '../core/receipt-lane.ts';
import { received, witness } from '../core/reception.ts';
import { stateLane } from '../core/state-lane.ts';
import { createBrowserEngine } from '../web/browser-engine.ts';
import type { ContextChannel } from '../web/context-channel.ts';
import { readSettings } from '../web/settings.ts';

/** What a worker needs of a client. */
export interface WorkerClient extends Pick<
  PushClient,
  'start' | 'received' | 'displayed' | 'opened' | 'dismissed' | 'wake'
> {}

export interface RunningWorkerClient
  extends WorkerClient, AsyncDisposable, Pick<PushClient, 'settled'> {}

const isForAll = async ({ rcpt }: PushEnvelope): Promise<boolean> => rcpt === undefined;

/**
 * Stands in where nothing is remembered, as after the site's data was deleted: nobody is known to
 * be signed in, so that only what is for everybody may be seen (rule R6).
 */
export const FORGETFUL: WorkerClient = {
  received: async (envelope) => ((await isForAll(envelope)) ? 'show' : 'withhold'),
  displayed: isForAll,
  opened: isForAll,
  dismissed: async () => undefined,
  start: async () => undefined,
  wake: () => undefined,
};

/**
 * A client that is set up as the page was, over the same store. Before it is started it sends
 * logouts and receipts, and leaves the state to the pages. Null where no page has been here.
 * Rejects with `storage`.
 */
export async function openWorkerClient(
  registration: ServiceWorkerRegistration,
  channel: ContextChannel,
): Promise<RunningWorkerClient | null> {
  const settings = await readSettings();
  if (settings === null) return null;
  const engine = createBrowserEngine({
    settings,
    worker: { existing: async () => registration, required: async () => registration },
    channel,
    lanes: [logoutLane, stateLane, receiptLane],
  });
  return {
    start: () => start(engine),
    received: (envelope) => received(engine, envelope),
    displayed: (envelope) => witness(engine, envelope, 'displayed'),
    opened: (envelope) => witness(engine, envelope, 'opened'),
    async dismissed(envelope) {
      await witness(engine, envelope, 'dismissed');
    },
    wake: () => wake(engine),
    settled: () => settled(engine),
    [Symbol.asyncDispose]: () => dispose(engine),
  };
}
