import { createApp, readConfig, readSecrets, type Config, type Environment } from '@homing/server';
import { readClientScripts } from './client-scripts.ts';
import { listenAt, type Place } from './failure.ts';

export interface ServeOptions {
  readonly environment: Environment;
  readonly say: (line: string) => void;
}

/** Homing in production: everything by environment variables, nothing made up on the way. */
export async function startServe(options: ServeOptions): Promise<AsyncDisposable> {
  const { environment, say } = options;
  const config = readConfig(environment);
  const scripts = readClientScripts();
  const homing = createApp(config, readSecrets(environment), { scripts });
  try {
    const isWorker = config.role === 'worker';
    const url = await listenAt(placeOf(config), () => homing.start());
    if (!isWorker) say(`Homing serves ${url}`);
    else say(url === null ? 'Homing works.' : `Homing works, and tells of its health at ${url}`);
    return homing;
  } catch (error) {
    await homing[Symbol.asyncDispose]();
    throw error;
  }
}

/** What may be taken by somebody else, and what the person can choose instead. */
function placeOf({ role, http }: Config): Place {
  const { host, port, workerPort } = http;
  const hostOption = 'HOMING_HOST';
  return role === 'worker'
    ? {
        what: 'the health',
        host,
        port: workerPort ?? 0,
        hostOption,
        portOption: 'HOMING_WORKER_PORT',
      }
    : { what: 'the API', host, port, hostOption, portOption: 'HOMING_PORT' };
}
