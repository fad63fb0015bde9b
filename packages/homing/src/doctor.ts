import { ConfigError, examine, readConfig, readSecrets } from '@homing/server';
import type { Environment, Symptom } from '@homing/server';

export interface DoctorOptions {
  readonly environment: Environment;
  /** One JSON document at the end instead of lines for people. */
  readonly json: boolean;
  readonly say: (line: string) => void;
}

const MARKS = { good: '✓', warning: '!', trouble: '✗' } as const satisfies Record<
  Symptom['state'],
  string
>;

/** Says how a deployment fares and what to do about it; true when nothing keeps it from working. */
export async function runDoctor({ environment, json, say }: DoctorOptions): Promise<boolean> {
  const symptoms: Symptom[] = [];
  for await (const symptom of symptomsOf(environment)) {
    symptoms.push(symptom);
    if (!json) say(lineOf(symptom));
  }
  const isWell = symptoms.every(({ state }) => state !== 'trouble');
  if (json) say(JSON.stringify({ well: isWell, symptoms }, null, 2));
  else say(summaryOf(symptoms));
  return isWell;
}

async function* symptomsOf(environment: Environment): AsyncGenerator<Symptom> {
  const check = 'configuration';
  const read = readSettings(environment);
  if (read.kind === 'fault') {
    const fix = 'Set the variable as docs/config.md says.';
    yield { check, state: 'trouble', what: read.message, fix };
    return;
  }
  yield { check, state: 'good', what: 'every variable can be used', fix: null };
  yield* examine(read.config, read.secrets);
}

function readSettings(environment: Environment) {
  try {
    const [config, secrets] = [readConfig(environment), readSecrets(environment)];
    return { kind: 'settings', config, secrets } as const;
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'fault', message: error.message } as const;
    throw error;
  }
}

function lineOf({ check, state, what, fix }: Symptom): string {
  const line = `${MARKS[state]} ${check}: ${what}`;
  return fix === null ? line : `${line}\n    → ${fix}`;
}

function summaryOf(symptoms: readonly Symptom[]): string {
  const count = (state: Symptom['state']): number =>
    symptoms.filter((symptom) => symptom.state === state).length;
  const [troubles, warnings] = [count('trouble'), count('warning')];
  if (troubles > 0) return `\nTo be put right: ${troubles}; warnings: ${warnings}.`;
  return warnings > 0 ? `\nIt works; warnings: ${warnings}.` : '\nAll is well.';
}
