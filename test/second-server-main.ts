// The process of a second server: started by `second-server.ts`, told everything by messages.
import { once } from 'node:events';
import assert from 'node:assert/strict';
import { createApp, createLogger, type App } from '@homing/server';
import type { ServerOrder, ServerReply, ServerSetting } from './second-server.ts';

// The test has ended, however it ended: nothing may outlive it.
process.once('disconnect', () => process.exit(0));

const [setting] = (await once(process, 'message')) as [ServerSetting];
const masterKey = Buffer.from(setting.masterKey, 'base64');
let offsetMs = setting.offsetMs;
const homing = createApp(
  setting.config,
  { masterKey },
  {
    clock: () => new Date(Date.now() + offsetMs),
    // Standard output may be a test's protocol.
    logger: createLogger(setting.config.logLevel, process.stderr),
  },
);
const url = await start(homing);
process.on('message', (order: ServerOrder) => void answer(homing, order));
reply({ number: 0, url, failure: null });

/** A server that cannot start, for want of a database, says so and ends. */
async function start(app: App): Promise<string | null> {
  try {
    return await app.start();
  } catch (error) {
    reply({ number: 0, url: null, failure: String(error) });
    process.disconnect();
    return null;
  }
}

async function answer(app: App, order: ServerOrder): Promise<void> {
  try {
    await obey(app, order);
    reply({ number: order.number, url, failure: null });
  } catch (error) {
    reply({ number: order.number, url, failure: String(error) });
  }
  if (order.kind === 'stop') process.disconnect();
}

async function obey(app: App, order: ServerOrder): Promise<void> {
  switch (order.kind) {
    case 'set_clock':
      offsetMs = order.offsetMs;
      return;
    case 'drain':
      await app.dispatcher?.drain();
      return;
    case 'stop':
      await app[Symbol.asyncDispose]();
  }
}

function reply(message: ServerReply): void {
  assert(process.send !== undefined, 'started with a channel to its test');
  process.send(message);
}
