import { ConfigError, createApp, readConfig, readSecrets, type Environment } from '@homing/server';
import { CommandFailure, namingPort } from './failure.ts';

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
    const { port } = config.http;
    const url = await namingPort('the API', port, 'HOMING_PORT', () => homing.start());
    say(url === null ? 'Homing works.' : `Homing serves ${url}`);
    return homing;
  } catch (error) {
    await homing[Symbol.asyncDispose]();
    throw error;
  }
}

/** The failure as a person should read it; null when it is a fault of ours. */
export function describeFailure(error: unknown): CommandFailure | null {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ConfigError) return new CommandFailure(error.message, 2);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'CONNECT_TIMEOUT'].includes(code)) {
    return new CommandFailure(
      `the database cannot be reached (${code}); check HOMING_DATABASE_URL`,
      1,
    );
  }
  return null;
}
