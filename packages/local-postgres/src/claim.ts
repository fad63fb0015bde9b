import { parentOf, commandLineOf } from './process-table.ts';
import { Session, SessionError } from './session.ts';

/** A server that seems to be alive. */
export interface ServerAddress {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly port: number;
}

/** What came of the wish to own a server. */
export type Claim =
  | { readonly kind: 'owned'; readonly session: Session; readonly version: string }
  | { readonly kind: 'refused'; readonly ownerPid: number }
  /** The server will stop by itself since its parent has died, or does not answer (yet). */
  | { readonly kind: 'leaving' }
  | { readonly kind: 'no_answer'; readonly why: string };

/** The two halves of the advisory lock's key: "homi", "ng" in ASCII. */
const LOCK_KEY = '1752132969, 28263';
const OWNER_NAME = /^homing owner (\d+)$/;
const OBSERVED = `select current_setting('server_version'),
  current_setting('homing.launcher', true), current_setting('homing.tied', true)`;
const HOLDER = `select activity.application_name
  from pg_locks as held join pg_stat_activity as activity using (pid)
  where held.locktype = 'advisory' and held.granted and held.objsubid = 2
    and (held.classid, held.objid) = (${LOCK_KEY})`;

/**
 * Tries to become the one owner of a living server. The owner is the holder of an advisory lock,
 * whose session carries its pid; the process that started the server counts as its owner too for
 * as long as it lives, so that nobody takes the lock between its start and its first session.
 */
export async function claimServer(
  address: ServerAddress,
  startedByUs: boolean,
  takeTied: boolean,
): Promise<Claim> {
  let session: Session;
  try {
    session = await Session.connect({
      ...address,
      database: 'postgres',
      applicationName: `homing owner ${process.pid}`,
    });
  } catch (error) {
    return noAnswer(error);
  }
  const claim = await claimWith(session, address, { startedByUs, takeTied }).catch(noAnswer);
  if (claim.kind !== 'owned') await session[Symbol.asyncDispose]();
  return claim;
}

async function claimWith(
  session: Session,
  address: ServerAddress,
  { startedByUs, takeTied }: { readonly startedByUs: boolean; readonly takeTied: boolean },
): Promise<Claim> {
  const [observed] = await session.query(OBSERVED);
  const [version, launcher, tied] = observed ?? [];
  if (!startedByUs) {
    const parent = await parentOf(address.pid);
    if (launcher && parent === Number(launcher)) return { kind: 'refused', ownerPid: parent };
    if (tied === 'on' && !takeTied) return { kind: 'leaving' };
  }
  const [answer] = await session.query(`select pg_try_advisory_lock(${LOCK_KEY})`);
  if (answer?.[0] === 't') return { kind: 'owned', session, version: version ?? '' };

  const [holder] = await session.query(HOLDER);
  const ownerPid = Number(OWNER_NAME.exec(holder?.[0] ?? '')?.[1] ?? 0);
  // An owner that was killed holds its lock until the server notices the closed connection.
  if (ownerPid !== 0 && (await commandLineOf(ownerPid)) !== null) {
    return { kind: 'refused', ownerPid };
  }
  return { kind: 'no_answer', why: 'the lock of an owner that has died is not free yet' };
}

function noAnswer(error: unknown): Claim {
  if (error instanceof SessionError) return { kind: 'no_answer', why: error.message };
  throw error;
}
