import postgres from 'postgres';
import { arrayText, type ArrayElement } from './array-text.ts';
import { isDatabaseUnavailable } from '../domain/database-fault.ts';
import { ARRAY_TYPES } from './array-types.ts';
import { DatabaseSockets, type DatabasePlace } from './database-sockets.ts';

/** How PostgreSQL's types appear here: 64-bit references as exact numbers, days as `YYYY-MM-DD`. */
const TYPES = {
  bigint: {
    to: 20,
    from: [20] as number[],
    serialize: (value: number) => String(value),
    // References and sequences stay far below 2^53; a larger one would be a corrupted row.
    parse: (text: string): number => Number(text),
  },
  day: {
    to: 1082,
    from: [1082] as number[],
    serialize: (value: string) => value,
    parse: (text: string): string => text,
  },
};

type Types = { bigint: number; day: string };

/** The connection pool. Functions that open their own transaction take this one. */
export type Database = postgres.Sql<Types>;
/** A pool or a transaction. Functions that run single statements take this one. */
export type Queryable = postgres.ISql<Types>;
export type Transaction = postgres.TransactionSql<Types>;
export type JsonValue = postgres.JSONValue;
/** A piece of a statement, to be put into another. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

export interface DatabaseOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly applicationName: string;
}

/**
 * The driver sends statements ahead on a busy connection, up to this many. A `begin` that happens
 * to be the last of them fails and leaves an open transaction behind, so that the number is one
 * that no process reaches. (An option of the driver that its types leave out.)
 *
 * A statement goes out when it is first awaited, which is hard to see where several are under way.
 * Where their order matters, `.execute()` sends each at the place where it stands.
 */
const PIPELINE = { max_pipeline: 1_000_000 } as const;

/** TLS comes with our sockets. (The driver's types leave the option out.) */
function madeBy(sockets: DatabaseSockets) {
  return { socket: (place: DatabasePlace) => sockets.open(place), ssl: false } as const;
}

/**
 * How long the driver waits before it connects again. Its own choice grows with every connection of
 * the pool that is refused, to twenty seconds at once, for which requests would neither fail nor
 * run although the database is back.
 */
const RECONNECT_SECONDS = 0.25;

/**
 * Opens a pool. Connections are made on demand, so this succeeds while the server is still down.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const sockets = new DatabaseSockets(options.url);
  const db = postgres<typeof TYPES>(options.url, {
    max: options.maxConnections,
    types: { ...TYPES, ...ARRAY_TYPES },
    fetch_types: false,
    ...PIPELINE,
    ...madeBy(sockets),
    connect_timeout: 10,
    backoff: () => RECONNECT_SECONDS,
    onnotice: () => {},
    connection: { application_name: options.applicationName, TimeZone: 'UTC' },
  });
  const end = db.end.bind(db);
  // The driver forgets what is still being connected, and would keep it open.
  return Object.assign(db, {
    end: (bounds?: { readonly timeout?: number }) =>
      end(bounds).finally(() => sockets[Symbol.dispose]()),
  });
}

/**
 * Waits for statements that were sent together, all of them also where one fails: what follows a
 * failure, above all the end of the transaction, must not come between those that are still coming.
 */
export async function flight<const Parts extends readonly Promise<unknown>[]>(
  parts: Parts,
): Promise<{ -readonly [Index in keyof Parts]: Awaited<Parts[Index]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

/**
 * Runs statements on a connection that nobody else uses meanwhile, so that they begin when `work`
 * is called: what has to wait for a connection has waited by then.
 */
export async function onConnection<T>(
  db: Database,
  work: (connection: Queryable) => Promise<T>,
): Promise<T> {
  const connection = await db.reserve();
  try {
    const result = await work(connection);
    connection.release();
    return result;
  } catch (error) {
    if (!isConnectionLost(error)) connection.release();
    throw error;
  }
}

/**
 * Whether a failure of a statement says that its connection is gone. Such a one leaves the pool by
 * itself; given back, it would be handed to the next one.
 */
export function isConnectionLost(error: unknown): boolean {
  // What PostgreSQL itself says, it says over a connection that works, unless it shuts it down.
  return error instanceof postgres.PostgresError
    ? error.code.startsWith('57P')
    : isDatabaseUnavailable(error);
}

/**
 * A row's columns and values for `insert` and `update`; names come from our own code, never from
 * input.
 */
export function columns(db: Queryable, values: Readonly<Record<string, unknown>>) {
  return db(values as Record<string, never>);
}

/** Marks a value to be written as JSON. */
export function json(value: unknown): postgres.Parameter {
  return JSON_SQL.json(value as JsonValue);
}

/** Bytes as PostgreSQL's own text form, for JSON, which has none. */
export function bytea(value: Buffer): string {
  return `\\x${value.toString('hex')}`;
}

/**
 * A list to be asked for with `= any(…)` or `unnest(…)`, in a subquery because the planner must not
 * see how long it is. It would find a plan for this short list alone cheaper than one for any list,
 * and make one each time, which takes longer than what is planned.
 */
export function listOf(
  db: Queryable,
  type: 'uuid' | 'text' | 'bytea' | 'bigint' | 'integer',
  values: readonly ArrayElement[],
): Fragment {
  const array = `${type}[]`;
  return db`(select ${arrayText(values)}::text::${db.unsafe(array)})::${db.unsafe(array)}`;
}

// Building a parameter needs no connection; this instance never opens one.
const JSON_SQL = postgres({ max: 0 });
