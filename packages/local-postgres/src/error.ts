/** Why a local PostgreSQL could not be had; stable, for programs. The message is for people. */
export type LocalPostgresErrorCode =
  | 'bad_option'
  | 'initdb_failed'
  | 'no_binaries'
  | 'not_a_data_directory'
  | 'owned_by_other'
  | 'start_failed'
  | 'stop_failed'
  | 'unreachable_directory'
  | 'unreadable_binaries'
  | 'unsafe_socket_directory'
  | 'unsupported_platform'
  | 'wrong_version';

/** The one error this package throws. Every message says what to do about it. */
export class LocalPostgresError extends Error {
  override readonly name = 'LocalPostgresError';
  readonly code: LocalPostgresErrorCode;
  /** The Node process that owns the server, when the code is `owned_by_other`. */
  readonly ownerPid: number | null;

  constructor(code: LocalPostgresErrorCode, message: string, ownerPid: number | null = null) {
    super(message);
    this.code = code;
    this.ownerPid = ownerPid;
  }
}
