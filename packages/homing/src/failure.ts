import { ConfigError, MigrationError } from '@homing/server';

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

/** Where something listens, and by which options or variables the person chose that. */
export interface Place {
  readonly what: string;
  readonly host: string;
  readonly port: number;
  readonly hostOption: string;
  readonly portOption: string;
}

/** Runs `listen`; a place that cannot be had becomes a line that names it and the way out. */
export async function listenAt<T>(place: Place, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const problem = placeProblem(place, error);
    throw problem === null ? error : new CommandFailure(problem, 2);
  }
}

function placeProblem({ what, host, port, ...options }: Place, error: unknown): string | null {
  const { code, hostname } = readSystemError(error);
  const byPort = `choose another with ${options.portOption}`;
  const byHost = `choose another with ${options.hostOption}`;
  if (code === 'EADDRINUSE') {
    return `port ${port} for ${what} is taken; stop what listens there or ${byPort}`;
  }
  if (code === 'EACCES') return `port ${port} for ${what} needs privileges; ${byPort}`;
  if (code === 'EADDRNOTAVAIL') {
    return `${host} for ${what} is not an address of this machine; ${byHost}`;
  }
  // A lookup of the database's host can fail as well; that one is not meant here.
  const isLookup = (code === 'ENOTFOUND' || code === 'EAI_AGAIN') && hostname === host;
  return isLookup ? `the host ${host} for ${what} is not known; ${byHost}` : null;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
]);
/**
 * SQLSTATE classes by which PostgreSQL turns a client away: authorisation, no such database,
 * missing privileges, no room, shutting down (appendix A of its documentation).
 */
const TURNED_AWAY = /^(?:28...|3D000|42501|53...|57P..)$/;

/** The failure as a person should read it; null when it is a fault of ours. */
export function describeFailure(error: unknown): CommandFailure | null {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ConfigError) return new CommandFailure(error.message, 2);
  if (error instanceof MigrationError) return new CommandFailure(error.message, 1);
  const { code, message } = readSystemError(error);
  const advice = 'check HOMING_DATABASE_URL';
  if (UNREACHABLE.has(code)) {
    return new CommandFailure(`the database cannot be reached (${code}); ${advice}`, 1);
  }
  if (TURNED_AWAY.test(code)) {
    return new CommandFailure(`the database refuses (${code}): ${message}; ${advice}`, 1);
  }
  return null;
}

interface SystemError {
  readonly code: string;
  readonly hostname: string | null;
  readonly message: string;
}

function readSystemError(error: unknown): SystemError {
  if (!(error instanceof Error)) return { code: '', hostname: null, message: String(error) };
  const code = 'code' in error ? String(error.code) : '';
  const hostname = 'hostname' in error ? String(error.hostname) : null;
  return { code, hostname, message: error.message };
}
