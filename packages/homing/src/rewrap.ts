import { readConfig, readSecrets, rewrapSecrets } from '@homing/server';
import type { Environment, RewrapProgress } from '@homing/server';

export interface RewrapOptions {
  readonly environment: Environment;
  /** One JSON document at the end instead of words and a bar. */
  readonly json: boolean;
  readonly say: (line: string) => void;
  /** Draws over what it drew before; null where nobody watches. */
  readonly draw: ((text: string) => void) | null;
}

const BAR_CHARACTERS = 30;

/**
 * Seals everything in the database with the newest master key; true when nothing is left that
 * needs another one. It may be ended at any time, and started again.
 */
export async function runRewrap(options: RewrapOptions): Promise<boolean> {
  const { environment, json, say } = options;
  const draw = json ? null : options.draw;
  const config = readConfig(environment);
  let last: RewrapProgress = { total: 0, done: 0, unopened: [], left: null };
  for await (const progress of rewrapSecrets(config, readSecrets(environment))) {
    draw?.(barOf(progress));
    last = progress;
  }
  draw?.('\n');
  const { total, done, unopened, left } = last;
  if (json) say(JSON.stringify({ total, done, unopened, left }, null, 2));
  else say([...unopened, summaryOf(last)].join('\n'));
  return left === 0;
}

function barOf({ total, done, unopened }: RewrapProgress): string {
  const share = total === 0 ? 1 : Math.min(1, (done + unopened.length) / total);
  const full = Math.round(share * BAR_CHARACTERS);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_CHARACTERS - full);
  return `\r${bar} ${done} of ${total}`;
}

function summaryOf({ done, left }: RewrapProgress): string {
  const sealed = `Sealed with the newest master key: ${done}.`;
  if (left === 0) {
    return `${sealed} Nothing needs another one; 24 hours from now the former ones may go.`;
  }
  return `${sealed} Left as they were: ${left}. Add the master key of those, and run this again.`;
}
