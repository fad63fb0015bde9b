import { statfsSync } from 'node:fs';
import { arch, cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';

/** Where the figures come from; they mean little elsewhere. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Processes that wanted a core in the minute before; others' work distorts every figure. */
  readonly loadBefore: number;
  /** Nothing is durable there, and fsync costs nothing. */
  readonly temporaryFilesInMemory: boolean;
}

const TMPFS_MAGIC = 0x01_02_19_94;

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
    temporaryFilesInMemory: statfsSync(tmpdir()).type === TMPFS_MAGIC,
  };
}

/** Lines for a person, warnings included. */
export function machineLines(machine: Machine): readonly string[] {
  const { processor, cores, memoryBytes, system, node, loadBefore } = machine;
  const gibibytes = (memoryBytes / 1024 ** 3).toFixed(0);
  const lines = [`${processor}, ${cores} cores, ${gibibytes} GiB; ${system}; Node ${node}`];
  if (loadBefore > 0.5) {
    lines.push(`The load was ${loadBefore.toFixed(1)} before: other work distorts these figures.`);
  }
  if (machine.temporaryFilesInMemory) {
    lines.push('Temporary files are in memory, so fsync costs nothing; set TMPDIR to a disk.');
  }
  return lines;
}
