import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  MessageReader,
  queryMessage,
  readErrorFields,
  readRow,
  startupMessage,
  terminateMessage,
  type Row,
  type ServerMessage,
} from './wire.ts';

/** Where a session leads to: a server's unix socket, and a database behind it. */
export interface SessionTarget {
  readonly socketDirectory: string;
  readonly port: number;
  readonly database: string;
  /** Shown in pg_stat_activity; at most 63 bytes. */
  readonly applicationName: string;
}

/** What the server refused, with its SQLSTATE, or a connection that broke (`08006`). */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly sqlState: string;

  constructor(sqlState: string, message: string) {
    super(message);
    this.sqlState = sqlState;
  }
}

/** A server that is alive but silent for so long (it is frozen) counts as a broken connection. */
const SILENCE_TIMEOUT_MS = 30_000;

/** What is under way: the start-up or one query. Both end with ReadyForQuery. */
interface Exchange {
  readonly rows: Row[];
  readonly done: PromiseWithResolvers<readonly Row[]>;
  error: SessionError | null;
}

/**
 * One session of the superuser over the unix socket, with trust authentication and simple
 * queries only. It exists so that a lock can be held without depending on a database driver.
 */
export class Session implements AsyncDisposable {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new MessageReader();
  #exchange: Exchange | null = null;

  private constructor(socket: Socket) {
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.#socket = socket;
    let reason = 'the server closed the connection';
    socket.on('data', (chunk) => {
      for (const message of this.#reader.push(chunk)) this.#receive(message);
    });
    socket.once('error', (error) => {
      reason = error.message;
    });
    socket.on('timeout', () => {
      reason = `the server has been silent for ${SILENCE_TIMEOUT_MS} ms`;
      socket.destroy();
    });
    socket.once('close', () => {
      const error = this.#exchange?.error ?? new SessionError('08006', reason);
      this.#exchange?.done.reject(error);
      this.#exchange = null;
      closed.resolve();
    });
  }

  /** Opens a session; rejects with a `SessionError` when the server refuses or is not there. */
  static async connect(target: SessionTarget): Promise<Session> {
    const path = join(target.socketDirectory, `.s.PGSQL.${target.port}`);
    const session = new Session(connect(path));
    await session.#send(
      startupMessage({
        user: 'postgres',
        database: target.database,
        application_name: target.applicationName,
      }),
    );
    return session;
  }

  /** Runs one simple query and returns its rows; rejects with a `SessionError`. */
  async query(sql: string): Promise<readonly Row[]> {
    return this.#send(queryMessage(sql));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#socket.destroyed) this.#socket.end(terminateMessage());
    await this.closed;
  }

  async #send(message: Buffer): Promise<readonly Row[]> {
    assert(this.#exchange === null, 'a session runs one query at a time');
    if (this.#socket.destroyed) throw new SessionError('08006', 'the session has ended');
    const exchange = { rows: [], done: Promise.withResolvers<readonly Row[]>(), error: null };
    this.#exchange = exchange;
    this.#socket.setTimeout(SILENCE_TIMEOUT_MS);
    this.#socket.write(message);
    return exchange.done.promise;
  }

  #receive({ type, body }: ServerMessage): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (type === 'D') exchange.rows.push(readRow(body));
    if (type === 'E') exchange.error = errorFrom(body);
    if (type === 'R' && body.readInt32BE(0) !== 0) {
      exchange.error = new SessionError('28000', 'the server asks for a password');
      this.#socket.destroy();
    }
    if (type !== 'Z') return;
    this.#exchange = null;
    this.#socket.setTimeout(0);
    if (exchange.error === null) exchange.done.resolve(exchange.rows);
    else exchange.done.reject(exchange.error);
  }
}

function errorFrom(body: Buffer): SessionError {
  const fields = readErrorFields(body);
  return new SessionError(fields.get('C') ?? 'XX000', fields.get('M') ?? 'unknown error');
}
