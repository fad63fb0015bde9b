import { join } from 'node:path';
import { LocalPostgresError, startLocalPostgres, type LocalPostgres } from '@homing/local-postgres';
import type { Environment } from '@homing/server';
import { CommandFailure } from './failure.ts';

/** The database of `homing dev`: the operator's own, or the embedded one, kept running. */
export interface DevDatabase extends AsyncDisposable {
  /** The variables that lead to it, in place of the environment's own; none when those do. */
  readonly settings: Environment;
  /** How it is called in the banner. */
  readonly description: string;
}

export interface DevDatabaseOptions {
  readonly directory: string;
  readonly environment: Environment;
  readonly binDirectory: string | null;
  readonly say: (line: string) => void;
}

/** Opens the database; starts the embedded PostgreSQL unless the environment names one. */
export async function openDevDatabase(options: DevDatabaseOptions): Promise<DevDatabase> {
  const { environment } = options;
  const url = environment.HOMING_DATABASE_URL ?? environment.DATABASE_URL;
  if (url !== undefined) {
    const name =
      environment.HOMING_DATABASE_URL === undefined ? 'DATABASE_URL' : 'HOMING_DATABASE_URL';
    const description = `PostgreSQL of ${name}`;
    return { settings: {}, description, async [Symbol.asyncDispose]() {} };
  }
  const supervised = new SupervisedPostgres(options);
  await supervised.start();
  return supervised;
}

/** The embedded server; started again when something else than we ended it. */
class SupervisedPostgres implements DevDatabase {
  readonly #options: DevDatabaseOptions;
  #server: LocalPostgres | null = null;
  #isStopping = false;
  #supervision: Promise<void> = Promise.resolve();

  constructor(options: DevDatabaseOptions) {
    this.#options = options;
  }

  get settings(): Environment {
    const url = this.#server?.url ?? '';
    return { HOMING_DATABASE_URL: url, HOMING_DATABASE_DIRECT_URL: url };
  }

  get description(): string {
    return `embedded PostgreSQL ${this.#server?.version ?? ''} in ${this.#options.directory}`;
  }

  async start(): Promise<void> {
    this.#server = await launch(this.#options);
    this.#supervision = this.#supervise(this.#server);
  }

  async #supervise(first: LocalPostgres): Promise<void> {
    let server = first;
    for (;;) {
      await server.exited;
      if (this.#isStopping) return;
      this.#options.say('PostgreSQL has ended unexpectedly; starting it again.');
      await server[Symbol.asyncDispose]();
      try {
        server = await launch(this.#options);
      } catch (error) {
        this.#options.say(error instanceof Error ? error.message : String(error));
        return;
      }
      this.#server = server;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#server?.[Symbol.asyncDispose]();
    await this.#supervision;
  }
}

async function launch(options: DevDatabaseOptions): Promise<LocalPostgres> {
  try {
    return await startLocalPostgres({
      directory: join(options.directory, 'postgres'),
      binDirectory: options.binDirectory,
    });
  } catch (error) {
    if (error instanceof LocalPostgresError) throw new CommandFailure(error.message, 1);
    throw error;
  }
}
