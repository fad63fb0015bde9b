import { LocalPostgresError } from './error.ts';
import { socketDirectoriesSetting } from './socket-directory.ts';

/** Where the server listens, and what the caller wants beyond our own settings. */
export interface SettingsRequest {
  readonly socketDirectory: string;
  readonly port: number | null;
  readonly extra: Readonly<Record<string, string>> | undefined;
}

/** Names the socket's file when no TCP port is wanted; nothing listens on it. */
const SOCKET_ONLY_PORT = 5432;

/**
 * For a server beside its product on one machine. Durability (fsync, synchronous_commit,
 * full_page_writes) keeps PostgreSQL's safe defaults and is therefore not mentioned.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  cluster_name: 'homing',
  // Every process of ours has a pool; and a test run clones many databases at once.
  max_connections: '200',
  // Half of PostgreSQL's own default: a small disk should not hold a gigabyte of log.
  max_wal_size: '512MB',
  shared_buffers: '128MB',
  // Our statements are short; compiling them costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %a ',
  logging_collector: 'off',
};

/** All settings of a server, ours first. Throws `bad_option` for one that we must decide. */
export function serverSettings(request: SettingsRequest): Readonly<Record<string, string>> {
  const { socketDirectory, port, extra = {} } = request;
  const decided: Readonly<Record<string, string>> = {
    listen_addresses: port === null ? '' : '127.0.0.1',
    port: String(port ?? SOCKET_ONLY_PORT),
    unix_socket_directories: socketDirectoriesSetting(socketDirectory),
    unix_socket_permissions: '0700',
  };
  for (const name of Object.keys(extra)) {
    const isOurs = name in decided || name.startsWith('homing.');
    if (/^[a-z_]+(\.[a-z_]+)?$/.test(name) && !isOurs) continue;
    throw new LocalPostgresError('bad_option', `The setting "${name}" cannot be given here.`);
  }
  return { ...DEFAULTS, ...extra, ...decided };
}
