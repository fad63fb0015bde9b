import { createApp, readConfig, readSecrets, type Environment } from '@homing/server';
import { listenAt } from './failure.ts';

export interface ServeOptions {
  readonly environment: Environment;
  readonly say: (line: string) => void;
}

/** Homing in production: everything by environment variables, nothing made up on the way. */
export async function startServe(options: ServeOptions): Promise<AsyncDisposable> {
  const { environment, say } = options;
  const config = readConfig(environment);
  const homing = createApp(config, readSecrets(environment));
  try {
    const { host, port } = config.http;
    const names = { hostOption: 'HOMING_HOST', portOption: 'HOMING_PORT' };
    const place = { what: 'the API', host, port, ...names };
    const url = await listenAt(place, () => homing.start());
    say(url === null ? 'Homing works.' : `Homing serves ${url}`);
    return homing;
  } catch (error) {
    await homing[Symbol.asyncDispose]();
    throw error;
  }
}
