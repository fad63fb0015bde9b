import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The unit of /proc: Linux shows hundredths of a second, whatever its own clock does. */
const TICKS_PER_SECOND = 100;

/**
 * Processor time, user and system, that a process and all its descendants have used so far, those
 * that ended included. A descendant that ends while we look may be missed; what counts are
 * processes that stay for a round.
 */
export function cpuSecondsOf(pid: number): number {
  const own = ticksOf(pid);
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own);
}

/** What the children of this process that have ended used, such as a load generator. */
export function endedChildrenCpuSeconds(): number {
  const { cutime, cstime } = statOf('self');
  return (cutime + cstime) / TICKS_PER_SECOND;
}

/** The most memory that a process held since it began, or since that was last forgotten. */
export function peakRssBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Lets `peakRssBytesOf` count from now on (`clear_refs` in proc(5)); throws if it is refused. */
export function forgetPeakRss(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function ticksOf(pid: number): number {
  try {
    const { utime, stime, cutime, cstime } = statOf(String(pid));
    return (utime + stime + cutime + cstime) / TICKS_PER_SECOND;
  } catch {
    // It ended since it was listed; its parent counts it from now on.
    return 0;
  }
}

interface Times {
  readonly utime: number;
  readonly stime: number;
  readonly cutime: number;
  readonly cstime: number;
}

/** Fields 14 to 17 of proc(5)'s stat; the second one, the name, may hold spaces and brackets. */
function statOf(pid: string): Times {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
  return { utime, stime, cutime, cstime };
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}
