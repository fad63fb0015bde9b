import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { runCommand } from './command.ts';

/**
 * What the operating system says about a process that may not be our child. Linux answers from
 * /proc, in files that every user may read (unlike /proc/PID/cwd, which root in an ordinary
 * container may not follow); elsewhere `ps` answers.
 */

/** The arguments the process was started with, or null when it has ended or is a zombie. */
export async function commandLineOf(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return ask(pid, 'command=');
  const text = await readProc(pid, 'cmdline');
  return text === null || text === '' ? null : text.replaceAll('\0', ' ');
}

/** The parent of a process, or null when the process has ended. */
export async function parentOf(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') {
    const answer = await ask(pid, 'ppid=');
    return answer === null ? null : Number(answer);
  }
  const stat = await readProc(pid, 'stat');
  // The second field is the command's name in parentheses and may itself hold spaces and
  // parentheses, so the fields are counted from the last one: state, then the parent.
  const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  return parent === undefined ? null : Number(parent);
}

/** Sends a signal, unless the process has ended already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}

async function readProc(pid: number, file: string): Promise<string | null> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => null);
}

async function ask(pid: number, column: string): Promise<string | null> {
  const answer = await runCommand('ps', ['-o', column, '-p', String(pid)]);
  const text = answer.stdout.trim();
  return answer.status === 0 && text !== '' ? text : null;
}
