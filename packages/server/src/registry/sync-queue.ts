import assert from 'node:assert';
import type { decideSync } from '../domain/registration.ts';
import type { Database } from '../store/sql.ts';
import { admitOnce, type RegistryContext } from './caller.ts';
import type { SyncKeys, SyncRules } from './judge-sync.ts';
import { PacketLine } from './packet-line.ts';
import { readBatch, writeBatch, type SyncOutcome } from './sync-batch.ts';
import {
  installationIdOf,
  type LogoutRequest,
  type LogoutResult,
  type RegistryRequest,
  type SyncRequest,
  type SyncResult,
} from './sync-request.ts';

/**
 * A server has one app, or some. More groups under way would take the pool's connections from
 * everybody else; larger batches would only make the first of them wait for the last.
 */
const READS = { groups: 4, batchSize: 256 } as const;
const WRITES = { groups: 4, batchSize: 128 } as const;

interface WaitingPacket {
  readonly request: RegistryRequest;
  readonly group: number;
  readonly names: readonly string[];
  /** A read has found its installation. */
  readonly isKnown: boolean;
  readonly resolve: (result: SyncResult | LogoutResult) => void;
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
  async submit(request: SyncRequest): Promise<SyncResult> {
    // Where arrival order counts there is no repetition, so there is nothing to be read first.
    const line = request.input.seq === null ? 'write' : 'read';
    const result = await this.#enqueue(
      { ...request, context: admittedOnce(request.context) },
      line,
    );
    assert(result.kind !== 'signed_out');
    return result;
  }

  /** The same for a logout, which every client may send as often as it likes. */
  async signOut(request: LogoutRequest): Promise<LogoutResult> {
    const result = await this.#enqueue(request, 'write');
    assert(isLogoutResult(result));
    return result;
  }

  #enqueue(request: RegistryRequest, line: 'read' | 'write'): Promise<SyncResult | LogoutResult> {
    const { promise, resolve, reject } = Promise.withResolvers<SyncResult | LogoutResult>();
    const group = request.context.app.ref;
    const packet = { request, group, names: [], isKnown: false, resolve, reject };
    if (line === 'read') this.#reads.add(packet);
    else this.#write(packet);
    return promise;
  }

  #write(packet: WaitingPacket): void {
    this.#writes.add({ ...packet, names: namesOf(packet.request) });
  }
}

function admittedOnce(context: RegistryContext): RegistryContext {
  const { caller } = context;
  if (caller.kind === 'back_end') return context;
  return { ...context, caller: { ...caller, admit: admitOnce(caller.admit) } };
}

function isLogoutResult(result: SyncResult | LogoutResult): result is LogoutResult {
  return !['synced', 'token_held', 'token_challenged', 'forked', 'wrong_form'].includes(
    result.kind,
  );
}

/** Answers a batch, and returns what was deferred. */
async function serve(
  db: Database,
  rules: SyncRules,
  batch: readonly WaitingPacket[],
  run: typeof writeBatch,
): Promise<readonly WaitingPacket[]> {
  const requests = batch.map(({ request }) => request);
  const known = requests.filter((_, index) => batch[index]?.isKnown === true);
  const knownIds = new Set(known.map(installationIdOf));
  const outcomes = await run(db, rules, requests, knownIds).catch((error: unknown) =>
    requests.map((): SyncOutcome => ({ kind: 'failed', error })),
  );
  return batch.flatMap((packet, index) => {
    const outcome = outcomes[index];
    if (outcome?.kind === 'deferred') return { ...packet, isKnown: outcome.isKnown };
    if (outcome?.kind === 'answered') packet.resolve(outcome.result);
    if (outcome?.kind === 'failed') packet.reject(outcome.error);
    return [];
  });
}

/** What a request touches, as far as it says so itself: installation, address, proofs. */
function namesOf(request: RegistryRequest): readonly string[] {
  const installation = `installation ${installationIdOf(request)}`;
  if (request.kind === 'logout') return [installation];
  const { token, user } = request.input;
  const proofs = (user?.claims ?? []).flatMap(({ proof }) =>
    proof.kind === 'proven' ? [`proof ${proof.proofId}`] : [],
  );
  const address = token?.claim ? [`address ${token.claim.key.toString('hex')}`] : [];
  return [installation, ...address, ...proofs];
}
