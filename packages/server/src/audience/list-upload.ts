import { createHash, randomUUID, type Hash } from 'node:crypto';
import { parseAudienceLine, type AudienceMember } from '../domain/audience-line.ts';
import { LIMITS } from '../domain/limits.ts';
import { abandonList, addMembers, beginList, completeList } from '../store/audience-lists.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { lockErasures } from '../store/users.ts';
import { linesOf, type Line } from './lines.ts';

/** A line at fault. `field` is empty where the line as a whole is. */
export interface LineProblem {
  readonly line: number;
  readonly field: string;
  readonly detail: string;
}

export type UploadResult =
  /** `digest` is that of all bytes, in hex. */
  | { readonly kind: 'read'; readonly digest: string }
  /** The first of them, in order. */
  | { readonly kind: 'bad_lines'; readonly problems: readonly LineProblem[] }
  | { readonly kind: 'empty' | 'too_many' };

const TOO_LONG = {
  kind: 'bad',
  field: '',
  detail: `longer than ${LIMITS.audienceLineBytes} bytes`,
} as const;

/**
 * A list while it is uploaded. Its members are written in batches as they come, so that memory and
 * transactions stay small however long it is; nobody can use it before `complete` is committed.
 * Disposing one that was not completed leaves what there is of it to the maintenance.
 */
export class ListUpload implements AsyncDisposable {
  /** UUID. */
  readonly id: string;
  readonly #db: Database;
  readonly #appRef: number;
  readonly #ref: number;
  readonly #onAbandoned: () => void;
  /** By kind and id, so that no batch names anybody twice. */
  #batch = new Map<string, AudienceMember>();
  #batchBytes = 0;
  #lines = 0;
  #isEmpty = true;
  readonly #problems: LineProblem[] = [];

  private constructor(
    db: Database,
    list: { readonly appRef: number; readonly ref: number; readonly id: string },
    onAbandoned: () => void,
  ) {
    this.#db = db;
    this.id = list.id;
    this.#appRef = list.appRef;
    this.#ref = list.ref;
    this.#onAbandoned = onAbandoned;
  }

  static async begin(
    db: Database,
    appRef: number,
    now: Date,
    onAbandoned: () => void,
  ): Promise<ListUpload> {
    const id = randomUUID();
    const ref = await beginList(db, appRef, id, now);
    return new ListUpload(db, { appRef, ref, id }, onAbandoned);
  }

  /**
   * Takes all lines in. After the first bad one it only looks for others, and ends with the
   * twentieth. What the source fails with, this rejects with.
   */
  async read(source: AsyncIterable<Buffer>): Promise<UploadResult> {
    const digest = createHash('sha256');
    for await (const lines of linesOf(hashed(source, digest), LIMITS.audienceLineBytes)) {
      for (const line of lines) this.#take(line);
      if (this.#lines > LIMITS.audienceLines) return { kind: 'too_many' };
      if (this.#problems.length >= LIMITS.audienceProblems) break;
      if (this.#isBatchFull()) await this.#write();
    }
    if (this.#problems.length > 0) return this.#refuse();
    if (this.#isEmpty) return { kind: 'empty' };
    await this.#write();
    return { kind: 'read', digest: digest.digest('hex') };
  }

  /** Returns how many members the list has, once the caller's transaction is committed. */
  async complete(tx: Transaction, now: Date): Promise<number> {
    return completeList(tx, this.#ref, now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await abandonList(this.#db, this.#ref)) this.#onAbandoned();
  }

  #take({ number, bytes }: Line): void {
    this.#lines += 1;
    if (bytes !== null && isBlank(bytes)) return;
    this.#isEmpty = false;
    const parsed = bytes === null ? TOO_LONG : parseAudienceLine(bytes);
    if (parsed.kind === 'bad') {
      this.#problems.push({ line: number, field: parsed.field, detail: parsed.detail });
      this.#batch.clear();
    } else if (this.#problems.length === 0) {
      const { member } = parsed;
      this.#batch.set(`${member.kind}/${member.id}`, member);
      this.#batchBytes += bytes?.length ?? 0;
    }
  }

  #refuse(): UploadResult {
    return { kind: 'bad_lines', problems: this.#problems.slice(0, LIMITS.audienceProblems) };
  }

  #isBatchFull(): boolean {
    return (
      this.#batch.size >= LIMITS.audienceBatch || this.#batchBytes >= LIMITS.audienceBatchBytes
    );
  }

  /** Of somebody who is being erased at this moment nothing is written behind its back. */
  async #write(): Promise<void> {
    const members = [...this.#batch.values()];
    if (members.length === 0) return;
    this.#batch = new Map();
    this.#batchBytes = 0;
    await inTransaction(this.#db, async (tx) => {
      await lockErasures(tx, this.#appRef, 'shared');
      await addMembers(tx, this.#ref, members);
    });
  }
}

async function* hashed(source: AsyncIterable<Buffer>, digest: Hash): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    digest.update(piece);
    yield piece;
  }
}

/** Such a line says nothing, as the last one of many files. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
