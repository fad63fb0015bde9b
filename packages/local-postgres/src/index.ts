/** Real PostgreSQL as part of the product: found, started, owned and stopped by us. */
export { LocalPostgresError, type LocalPostgresErrorCode } from './error.ts';
export { startLocalPostgres, type LocalPostgresOptions } from './launcher.ts';
export type { LocalPostgres } from './local-server.ts';
export type { ServerExit } from './server-process.ts';
