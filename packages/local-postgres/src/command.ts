import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { spawnIdentity, type ServerUser } from './server-user.ts';

/** How a short-lived program ended; `status` is null when it was not even started. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandPlace {
  readonly user?: ServerUser | null;
  readonly cwd?: string;
}

/** Runs a program to its end, as the given user. Never rejects: a failure is in the result. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { user = null, cwd }: CommandPlace = {},
): Promise<CommandResult> {
  const ended = Promise.withResolvers<number | null>();
  const started = tryTo(() =>
    spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...spawnIdentity(user),
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  if (started instanceof Error) return { status: null, stdout: '', stderr: started.message };
  started.once('close', (status) => ended.resolve(status));
  let failure = '';
  started.once('error', (error) => {
    failure = error.message;
    ended.resolve(null);
  });
  const [status, stdout, stderr] = await Promise.all([
    ended.promise,
    text(started.stdout),
    text(started.stderr),
  ]);
  return { status, stdout, stderr: stderr + failure };
}

/** Whether the user may enter a directory, asked of the kernel by entering it as that user. */
export async function canEnter(user: ServerUser | null, directory: string): Promise<boolean> {
  if (user === null) return true;
  const answer = await runCommand('/bin/sh', ['-c', 'cd -- "$0"', directory], { user });
  return answer.status === 0;
}

/**
 * The environment of PostgreSQL's programs: nothing of ours but the search paths, so that
 * neither a PGDATA of the operator nor a secret of the product reaches the server. The C locale
 * keeps its messages, which the launcher reads, in English.
 */
export function serverEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C' };
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'TZDIR']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** A few failures of `spawn` (a user that may not be assumed) are thrown and not emitted. */
function tryTo<T>(action: () => T): T | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
