import { createHash } from 'node:crypto';
import { LIMITS } from '@homing/server';

/** What a phone has said once: any of user and token, under one sequence of its installation. */
export interface Statement {
  readonly seq: number;
  /** Null signs out; undefined says nothing about it. */
  readonly user: string | null | undefined;
  /** Null gives it up; undefined says nothing about it. */
  readonly token: string | null | undefined;
  /** The moment before its first transmission. */
  readonly begunAt: number;
  /** The moment after its first acknowledgement, and the time of that. */
  acknowledged: { readonly at: number; readonly atMs: number } | null;
}

/** A push as a provider took it. */
export interface ObservedPush {
  readonly token: string;
  readonly rcpt: string;
  /** Of the message, as its sender numbered it. */
  readonly number: number;
  readonly atMs: number;
}

/** Everything that an installation has said. */
interface History {
  readonly installationId: string;
  readonly secret: string;
  readonly openedAt: number;
  readonly statements: Statement[];
}

/**
 * How long after an acknowledgement a push may still come to a provider whose gate was before it: a
 * second by rule R7, and two for what neither the relay nor a kill explains but the machine does.
 * The relay delays no answers, and a killed worker writes nothing more; but the provider and the
 * phones are in one process, whose turn may come late for what lies in its sockets.
 */
const UNDER_WAY_MS = LIMITS.gateFreshMs + 2_000;

/**
 * The reference: of each installation the statement with the highest sequence counts, for user and
 * token apart. It keeps what phones said and what was acknowledged, in one order of moments, and
 * judges pushes by it. Nothing here depends on how long anything took, but for what was under way.
 */
export class RegistryBook {
  readonly #histories = new Map<string, History>();
  readonly #recipients = new Map<string, { readonly history: History; readonly user: string }>();
  readonly #messages = new Map<number, number>();
  #moment = 0;

  open(installationId: string, secret: string): void {
    const openedAt = this.#next();
    this.#histories.set(installationId, { installationId, secret, openedAt, statements: [] });
  }

  /** The installations that were opened. */
  get installations(): readonly string[] {
    return [...this.#histories.keys()];
  }

  has(installationId: string): boolean {
    return this.#histories.has(installationId);
  }

  /** Whom a tag names, of those who were ever said to be signed in; null for nobody. */
  userOf(rcpt: string): string | null {
    return this.#recipients.get(rcpt)?.user ?? null;
  }

  /** Notes a statement that is about to be sent. */
  begin(installationId: string, said: Pick<Statement, 'seq' | 'user' | 'token'>): Statement {
    const history = this.#history(installationId);
    const statement: Statement = { ...said, begunAt: this.#next(), acknowledged: null };
    history.statements.push(statement);
    if (typeof said.user === 'string') {
      const tag = addresseeTag(history.secret, said.user);
      this.#recipients.set(tag, { history, user: said.user });
    }
    return statement;
  }

  acknowledge(statement: Statement, atMs: number): void {
    statement.acknowledged ??= { at: this.#next(), atMs };
  }

  /** Numbers a message that is about to be sent. */
  beginMessage(): number {
    const number = this.#messages.size;
    this.#messages.set(number, this.#next());
    return number;
  }

  /** The statement that counts for a group; null when the installation has said nothing on it. */
  latest(installationId: string, group: 'user' | 'token'): Statement | null {
    const said = this.#history(installationId).statements.filter(
      (statement) => statement[group] !== undefined,
    );
    return said.toSorted((a, b) => b.seq - a.seq)[0] ?? null;
  }

  /**
   * What an installation may hold of a group: what was acknowledged with the highest sequence, or
   * is newer. Null stands for nothing.
   */
  possible(installationId: string, group: 'user' | 'token'): readonly (string | null)[] {
    const said = this.#history(installationId).statements.filter(
      (statement) => statement[group] !== undefined,
    );
    const known = said.filter(({ acknowledged }) => acknowledged !== null);
    const least = Math.max(0, ...known.map(({ seq }) => seq));
    const held = said.filter(({ seq }) => seq >= least).map((one) => one[group] ?? null);
    return least === 0 ? [null, ...held] : held;
  }

  /** Why a push should not have been sent; null when nothing speaks against it. */
  objection(push: ObservedPush): string | null {
    const recipient = this.#recipients.get(push.rcpt);
    const begunAt = this.#messages.get(push.number);
    if (recipient === undefined || begunAt === undefined) return 'nobody was addressed like that';
    const { history, user } = recipient;
    const endedBy = (statement: Statement): boolean =>
      statement.acknowledged !== null &&
      (statement.acknowledged.at < begunAt ||
        statement.acknowledged.atMs + UNDER_WAY_MS < push.atMs);
    for (const ended of history.statements.filter(endedBy)) {
      const later = history.statements.filter(({ seq }) => seq > ended.seq);
      if (ended.user !== undefined && ended.user !== user) {
        if (!later.some((one) => one.user === user)) return `${user} had left the installation`;
      }
      if (ended.token !== undefined && ended.token !== push.token) {
        if (!later.some((one) => one.token === push.token)) return 'it had got another token';
      }
    }
    return this.#isTakenOver(history, push, endedBy) ? 'another one had taken the token' : null;
  }

  /** The app was installed again since, and the new installation holds the token. */
  #isTakenOver(
    former: History,
    { token }: ObservedPush,
    endedBy: (statement: Statement) => boolean,
  ): boolean {
    return [...this.#histories.values()].some(({ openedAt, statements }) => {
      if (openedAt <= former.openedAt) return false;
      const claim = statements.find((one) => one.token === token && endedBy(one));
      if (claim === undefined) return false;
      return !statements.some(
        (one) => one.seq > claim.seq && one.token !== undefined && one.token !== token,
      );
    });
  }

  #history(installationId: string): History {
    const history = this.#histories.get(installationId);
    if (history === undefined) throw new Error(`Nothing is known of ${installationId}.`);
    return history;
  }

  #next(): number {
    this.#moment += 1;
    return this.#moment;
  }
}

/** As a device computes it, from what it knows itself. */
function addresseeTag(secret: string, userId: string): string {
  const secretHash = createHash('sha256').update(secret).digest();
  const digest = createHash('sha256').update('rcpt').update(secretHash).update(userId);
  return digest.digest('base64url').slice(0, 22);
}
