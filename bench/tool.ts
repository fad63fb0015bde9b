import { spawnSync } from 'node:child_process';

/** A program that a benchmark compares with or makes its load with. */
export interface Tool {
  readonly command: string;
  /** Arguments with which it says its version and does nothing else. */
  readonly versionArgs: readonly string[];
  /** Debian's package. */
  readonly packageName: string;
}

/**
 * Those of the tools that cannot be run here. They are run and not just looked for, because
 * Debian's `pgbench` is a wrapper that is there before the program that it wraps.
 */
export function missingTools(tools: readonly Tool[]): readonly Tool[] {
  return tools.filter(({ command, versionArgs }) => {
    const { error, stdout, stderr } = spawnSync(command, [...versionArgs], { encoding: 'utf8' });
    // wrk says its version and ends with 1, so that its words count and not its exit code; nginx
    // says it to the standard error.
    return error !== undefined || !`${stdout}${stderr}`.toLowerCase().includes(command);
  });
}
