import { fileURLToPath } from 'node:url';
import { openDatabase, type Database } from '../../packages/server/src/store/sql.ts';
import type { LatencyStage } from '../latency/latency-stage.ts';
import type { TimedUser } from '../latency/timed-users.ts';
import type { MeteredParties } from '../meter.ts';
import { PeerProcess } from '../peer-process.ts';

export const BARE_CHANNEL = 'bare';

/** What the other process is told as it starts. */
export interface BareRelayOptions {
  readonly databaseUrl: string;
  readonly providerUrl: string;
  readonly authorityPem: string;
}

const MAIN = fileURLToPath(new URL('bare-relay-main.ts', import.meta.url));
/** As many as a process of Homing has. */
const CONNECTIONS = 10;

/**
 * The least that a durable push can cost: a row, a NOTIFY, and a push by whoever hears it, with
 * neither API nor rules nor ledger.
 */
export class Bare implements AsyncDisposable {
  readonly #db: Database;
  readonly #relay: PeerProcess;
  readonly #stage: LatencyStage;

  private constructor(db: Database, relay: PeerProcess, stage: LatencyStage) {
    this.#db = db;
    this.#relay = relay;
    this.#stage = stage;
  }

  static async start(stage: LatencyStage): Promise<Bare> {
    const { site, nginx, interruption } = stage;
    const { url } = site.postgres;
    const db = openDatabase({ url, maxConnections: CONNECTIONS, applicationName: 'bare' });
    await db`
      create table bare_notification (
        ref bigint generated always as identity primary key,
        token text not null,
        content jsonb not null
      )
    `;
    const options: BareRelayOptions = {
      databaseUrl: url,
      providerUrl: nginx.url,
      authorityPem: nginx.authorityPem,
    };
    const args = [JSON.stringify(options)];
    return new Bare(db, await PeerProcess.start(MAIN, args, interruption), stage);
  }

  get parties(): MeteredParties {
    const { site, nginx } = this.#stage;
    const pids = { worker: this.#relay.pid, database: site.postgres.pid, nginx: nginx.pid };
    return { pids, ended: null, peakOf: null };
  }

  /** The NOTIFY follows the commit, as ours does: within the transaction it takes a global lock. */
  async send({ token }: TimedUser): Promise<void> {
    const content = this.#db.json({ title: 'Your code', body: 'It is 123456.' });
    await this.#db`insert into bare_notification (token, content) values (${token}, ${content})`;
    await this.#db.notify(BARE_CHANNEL, token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay[Symbol.asyncDispose]();
    await this.#db.end({ timeout: 5 });
  }
}
