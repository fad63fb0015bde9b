import { randomUUID } from 'node:crypto';
import { Dispatcher, type DispatcherOptions } from './dispatcher/dispatcher.ts';
import { listenForWork } from './store/announcements.ts';
import { openDatabase } from './store/sql.ts';

/** The sending half of the server. */
export interface Worker extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  start(): Promise<void>;
}

export interface WorkerOptions extends Omit<DispatcherOptions, 'owner' | 'leaseDb'> {
  readonly database: {
    readonly url: string;
    /** Past any transaction pooler, for LISTEN; null leaves everything to the poll. */
    readonly directUrl: string | null;
  };
}

/**
 * The dispatcher, with two connections of its own: on one work is announced, on the other leases
 * are prolonged.
 */
export function createWorker(options: WorkerOptions): Worker {
  const owner = `${process.pid}.${randomUUID().slice(0, 8)}`;
  const { url, directUrl } = options.database;
  const leaseDb = openDatabase({ url, maxConnections: 1, applicationName: 'homing leases' });
  const dispatcher = new Dispatcher({ ...options, owner, leaseDb });
  const listener =
    directUrl === null
      ? null
      : openDatabase({ url: directUrl, maxConnections: 1, applicationName: 'homing listener' });
  return {
    dispatcher,
    async start() {
      if (listener !== null) await listenForWork(listener, () => dispatcher.wake());
      dispatcher.start();
    },
    async [Symbol.asyncDispose]() {
      await dispatcher[Symbol.asyncDispose]();
      await leaseDb.end({ timeout: 5 });
      await listener?.end({ timeout: 5 });
    },
  };
}
