import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';
import type { Environment, EnvironmentName } from './env.ts';

/** Kept apart from the configuration, which may be printed. */
export interface Secrets {
  /** 32 bytes; seals credentials and derives every other key. */
  readonly masterKey: Buffer;
  /** Those that only open what they have sealed; none unless one is being replaced. */
  readonly otherMasterKeys?: readonly Buffer[];
}

/** The variables that hold, or lead to, the keys of one kind. */
interface KeyVariables {
  readonly value: 'HOMING_MASTER_KEY' | 'HOMING_MASTER_KEY_PREVIOUS';
  readonly file: 'HOMING_MASTER_KEY_FILE' | 'HOMING_MASTER_KEY_PREVIOUS_FILE';
}

const NEWEST: KeyVariables = { value: 'HOMING_MASTER_KEY', file: 'HOMING_MASTER_KEY_FILE' };
const OTHERS: KeyVariables = {
  value: 'HOMING_MASTER_KEY_PREVIOUS',
  file: 'HOMING_MASTER_KEY_PREVIOUS_FILE',
};

/** Reads the master keys from the environment or their files; throws a `ConfigError`. */
export function readSecrets(env: Environment): Secrets {
  const newest = readKeyText(env, NEWEST);
  if (newest === null) {
    throw new ConfigError(
      'HOMING_MASTER_KEY',
      'is required: 32 random bytes in base64, such as "openssl rand -base64 32" prints',
    );
  }
  return { masterKey: parseMasterKey(newest.name, newest.text), otherMasterKeys: readOthers(env) };
}

/** Separated by commas or white space, in whatever order. */
function readOthers(env: Environment): readonly Buffer[] {
  const others = readKeyText(env, OTHERS);
  if (others === null) return [];
  const texts = others.text.split(/[\s,]+/).filter((text) => text !== '');
  return texts.map((text) => parseMasterKey(others.name, text));
}

interface KeyText {
  readonly name: EnvironmentName;
  readonly text: string;
}

/** Null when neither variable is set; the one that holds the value itself goes first. */
function readKeyText(env: Environment, { value, file }: KeyVariables): KeyText | null {
  const text = env[value];
  if (text !== undefined) return { name: value, text };
  const path = env[file];
  if (path === undefined) return null;
  try {
    return { name: file, text: readFileSync(path, 'utf8') };
  } catch {
    throw new ConfigError(file, `cannot read ${path}`);
  }
}

function parseMasterKey(name: EnvironmentName, text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32) throw new ConfigError(name, 'has to be 32 bytes in base64');
  return key;
}
