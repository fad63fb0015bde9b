import { randomUUID } from 'node:crypto';
import { Dispatcher, type DispatcherOptions } from './dispatcher/dispatcher.ts';
import { listenForWork } from './store/announcements.ts';
import { openDatabase } from './store/sql.ts';

/** The sending half of the server. */
export interface Worker extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  start(): Promise<void>;
}

export interface WorkerOptions extends Omit<DispatcherOptions, 'owner'> {
  /** Past any transaction pooler, for LISTEN; null leaves everything to the poll. */
  readonly directUrl: string | null;
}

/** The dispatcher, with a connection of its own on which work is announced. */
export function createWorker(options: WorkerOptions): Worker {
  const owner = `${process.pid}.${randomUUID().slice(0, 8)}`;
  const dispatcher = new Dispatcher({ ...options, owner });
  const { directUrl: url } = options;
  const listener =
    url === null
      ? null
      : openDatabase({ url, maxConnections: 1, applicationName: 'homing listener' });
  return {
    dispatcher,
    async start() {
      if (listener !== null) await listenForWork(listener, () => dispatcher.wake());
      dispatcher.start();
    },
    async [Symbol.asyncDispose]() {
      await dispatcher[Symbol.asyncDispose]();
      await listener?.end({ timeout: 5 });
    },
  };
}
