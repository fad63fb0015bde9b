/** A command that cannot go on: one line for the person, and the exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  /** Exit code 2 says that something the caller gave is wrong, 1 that something else is. */
  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs `listen`; a port that somebody else has becomes a line that names it and the way out. */
export async function namingPort<T>(
  what: string,
  port: number,
  option: string,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EADDRINUSE') {
      throw new CommandFailure(
        `port ${port} for ${what} is taken; stop what listens there or choose another with ${option}`,
        2,
      );
    }
    if (code === 'EACCES') {
      throw new CommandFailure(`port ${port} for ${what} needs privileges; choose another`, 2);
    }
    throw error;
  }
}
