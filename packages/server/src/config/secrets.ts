import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';
import type { Environment, EnvironmentName } from './env.ts';

/** Kept apart from the configuration, which may be printed. */
export interface Secrets {
  /** 32 bytes; seals credentials and derives every other key. */
  readonly masterKey: Buffer;
}

/** Reads the master key from the environment or its file; throws a `ConfigError`. */
export function readSecrets(env: Environment): Secrets {
  const file = env.HOMING_MASTER_KEY_FILE;
  if (env.HOMING_MASTER_KEY !== undefined) {
    return { masterKey: parseMasterKey('HOMING_MASTER_KEY', env.HOMING_MASTER_KEY) };
  }
  if (file === undefined) {
    throw new ConfigError(
      'HOMING_MASTER_KEY',
      'is required: 32 random bytes in base64, such as "openssl rand -base64 32" prints',
    );
  }
  try {
    return { masterKey: parseMasterKey('HOMING_MASTER_KEY_FILE', readFileSync(file, 'utf8')) };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('HOMING_MASTER_KEY_FILE', `cannot read ${file}`);
  }
}

function parseMasterKey(name: EnvironmentName, text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32) throw new ConfigError(name, 'has to be 32 bytes in base64');
  return key;
}
