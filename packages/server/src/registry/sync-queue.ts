import type { decideSync } from '../domain/registration.ts';
import type { Database } from '../store/sql.ts';
import { admitOnce } from './caller.ts';
import type { SyncKeys, SyncRules } from './judge-sync.ts';
import { PacketLine } from './packet-line.ts';
import { readBatch, writeBatch, type SyncOutcome } from './sync-batch.ts';
import type { SyncRequest, SyncResult } from './sync-request.ts';

/**
 * Many reads make no use of a second one under way; a second transaction works while the first one
 * waits for the disk.
 */
const READS = { batches: 2, batchSize: 256 } as const;
const WRITES = { batches: 2, batchSize: 128 } as const;

interface WaitingPacket {
  readonly request: SyncRequest;
  readonly group: number;
  readonly names: readonly string[];
  readonly resolve: (result: SyncResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * THE ONE WRITE of the registry: enrolment, token refresh, login, logout, account switch and
 * check-in are all packets that come through here. Every group of a packet that is newer than what
 * is held is applied, together with the others, or nothing is.
 *
 * Packets that come at the same time share their transactions:
 *
 *   submitted → read line → answered, because nothing is to be written
 *                         → write line → answered once committed
 *                                      → write line again, when an earlier packet was in the way
 */
export class SyncQueue {
  readonly #reads: PacketLine<WaitingPacket>;
  readonly #writes: PacketLine<WaitingPacket>;

  constructor(db: Database, keys: SyncKeys, decide: typeof decideSync) {
    const rules: SyncRules = { keys, decide };
    this.#writes = new PacketLine({
      ...WRITES,
      run: (batch) => serve(db, rules, batch, writeBatch),
    });
    this.#reads = new PacketLine({
      ...READS,
      run: async (batch) => {
        for (const packet of await serve(db, rules, batch, readBatch)) this.#write(packet);
        return [];
      },
    });
  }

  /** Resolves with the packet's own answer, once what it changes is durable. */
  submit(request: SyncRequest): Promise<SyncResult> {
    const { promise, resolve, reject } = Promise.withResolvers<SyncResult>();
    const group = request.context.app.ref;
    const packet = { request: admittedOnce(request), group, names: [], resolve, reject };
    // Where arrival order counts there is no repetition, so there is nothing to be read first.
    if (request.input.seq === null) this.#write(packet);
    else this.#reads.add(packet);
    return promise;
  }

  #write(packet: WaitingPacket): void {
    this.#writes.add({ ...packet, names: namesOf(packet.request) });
  }
}

function admittedOnce(request: SyncRequest): SyncRequest {
  const { context } = request;
  const { caller } = context;
  if (caller.kind === 'back_end') return request;
  const admitted = { ...caller, admit: admitOnce(caller.admit) };
  return { ...request, context: { ...context, caller: admitted } };
}

/** Answers a batch, and returns what was deferred. */
async function serve(
  db: Database,
  rules: SyncRules,
  batch: readonly WaitingPacket[],
  run: typeof writeBatch,
): Promise<readonly WaitingPacket[]> {
  const requests = batch.map(({ request }) => request);
  const outcomes = await run(db, rules, requests).catch((error: unknown) =>
    requests.map((): SyncOutcome => ({ kind: 'failed', error })),
  );
  return batch.filter((packet, index) => {
    const outcome = outcomes[index];
    if (outcome?.kind === 'answered') packet.resolve(outcome.result);
    if (outcome?.kind === 'failed') packet.reject(outcome.error);
    return outcome?.kind === 'deferred';
  });
}

/** What a packet touches, as far as it says so itself: installation, address, proofs. */
function namesOf({ input }: SyncRequest): readonly string[] {
  const { installationId, token, user } = input;
  const proofs = user?.claims.flatMap(({ proof }) =>
    proof.kind === 'proven' ? [`proof ${proof.proofId}`] : [],
  );
  const address = token?.claim ? [`address ${token.claim.key.toString('hex')}`] : [];
  return [`installation ${installationId}`, ...address, ...(proofs ?? [])];
}
