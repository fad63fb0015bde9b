import assert from 'node:assert';
import { LIMITS } from '../domain/limits.ts';
import { RegistryBusy } from '../domain/registry-busy.ts';
import type { decideSync } from '../domain/registration.ts';
import type { Database } from '../store/sql.ts';
import { admitOnce, type RegistryContext } from './caller.ts';
import type { SyncKeys, SyncRules } from './judge-sync.ts';
import { PacketLine, type LineItem } from './packet-line.ts';
import { readBatch, writeAlone, writeBatch } from './sync-batch.ts';
import type { SyncOutcome } from './sync-outcome.ts';
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

/** So many packets wait beside the line at a time, each with a connection of the pool. */
function placesBeside(connections: number): number {
  return Math.max(1, Math.min(3, Math.floor(connections / 4)));
}

export interface SyncQueueOptions {
  readonly db: Database;
  readonly keys: SyncKeys;
  readonly decide: typeof decideSync;
}

interface WaitingPacket extends LineItem {
  readonly kind: 'packet';
  readonly request: RegistryRequest;
  /** A read has found its installation. */
  readonly isKnown: boolean;
  /** When it came, in milliseconds of the process, as all of these. */
  readonly cameAt: number;
  /** Since when somebody else holds what it touches; null when nobody did. */
  readonly heldUpAt: number | null;
  readonly resolve: (result: SyncResult | LogoutResult) => void;
  readonly reject: (error: unknown) => void;
}

/** What has nothing to write, and wants to come after what came before it. */
interface Follower extends LineItem {
  readonly kind: 'follower';
  readonly resolve: () => void;
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
 *                                      → beside the line, when somebody else holds what it touches
 */
export class SyncQueue {
  readonly #reads: PacketLine<WaitingPacket>;
  readonly #writes: PacketLine<WaitingPacket | Follower>;

  constructor({ db, keys, decide }: SyncQueueOptions) {
    const rules: SyncRules = { keys, decide };
    this.#writes = new PacketLine({
      ...WRITES,
      besides: placesBeside(db.options.max),
      run: async (items) => {
        const batch = items.flatMap((item) => (item.kind === 'packet' ? [item] : []));
        const { deferred, heldUp } =
          batch.length === 0 ? NONE : await serve(batch, () => writeBatch(db, rules, batch));
        for (const item of items) if (item.kind === 'follower') item.resolve();
        return { again: deferred, aside: heldUp };
      },
      runAside: async (item) => (item.kind === 'packet' ? serveAlone(db, rules, item) : null),
    });
    this.#reads = new PacketLine({
      ...READS,
      besides: 0,
      run: async (batch) => {
        const requests = batch.map(({ request }) => request);
        const { deferred } = await serve(batch, () => readBatch(db, rules, requests));
        for (const packet of deferred) this.#write(packet);
        return { again: [], aside: [] };
      },
      runAside: () => assert.fail('what is only read is never held up'),
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
    // Who has not the secret is turned away by a read, and holds up nobody.
    const line = request.context.caller.kind === 'client' ? 'read' : 'write';
    const result = await this.#enqueue(request, line);
    assert(isLogoutResult(result));
    return result;
  }

  /** Resolves once those in this process's line that claim one of the addresses are answered. */
  async settled(appRef: number, addressKeys: readonly Buffer[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const names = addressKeys.map(nameOf);
    this.#writes.add({ kind: 'follower', group: appRef, names, isDelayed: false, resolve });
    return promise;
  }

  #enqueue(request: RegistryRequest, line: 'read' | 'write'): Promise<SyncResult | LogoutResult> {
    const { promise, resolve, reject } = Promise.withResolvers<SyncResult | LogoutResult>();
    const group = request.context.app.ref;
    const cameAt = performance.now();
    const waits = { isKnown: false, isDelayed: false, cameAt, heldUpAt: null, resolve, reject };
    const packet = { kind: 'packet', request, group, names: [], ...waits } as const;
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

const LOGOUT_RESULTS: ReadonlySet<string> = new Set<LogoutResult['kind']>([
  'signed_out',
  'wrong_secret',
  'not_found',
  'user_mismatch',
  'removed',
]);

function isLogoutResult(result: SyncResult | LogoutResult): result is LogoutResult {
  return LOGOUT_RESULTS.has(result.kind);
}

/** Packets of a batch that have no answer yet. */
interface Unanswered {
  readonly deferred: readonly WaitingPacket[];
  readonly heldUp: readonly WaitingPacket[];
}

const NONE: Unanswered = { deferred: [], heldUp: [] };

/** Answers a batch, as far as there are answers. */
async function serve(
  batch: readonly WaitingPacket[],
  run: () => Promise<readonly SyncOutcome[]>,
): Promise<Unanswered> {
  const outcomes = await run().catch((error: unknown) =>
    batch.map((): SyncOutcome => ({ kind: 'failed', error })),
  );
  const [deferred, heldUp]: [WaitingPacket[], WaitingPacket[]] = [[], []];
  for (const [index, packet] of batch.entries()) {
    const outcome = outcomes[index];
    assert(outcome !== undefined);
    switch (outcome.kind) {
      case 'answered':
        packet.resolve(outcome.result);
        break;
      case 'failed':
        packet.reject(outcome.error);
        break;
      case 'deferred':
        deferred.push({ ...packet, isKnown: outcome.isKnown });
        break;
      case 'held_up':
        heldUp.push({ ...packet, heldUpAt: packet.heldUpAt ?? performance.now() });
        break;
    }
  }
  return { deferred, heldUp };
}

/** Answers one packet that was held up; returns it when it is to have another turn. */
async function serveAlone(
  db: Database,
  rules: SyncRules,
  packet: WaitingPacket,
): Promise<WaitingPacket | null> {
  if (isOutOfPatience(packet)) {
    packet.reject(new RegistryBusy());
    return null;
  }
  const { deferred, heldUp } = await serve([packet], async () => [
    await writeAlone(db, rules, packet),
  ]);
  return [...deferred, ...heldUp][0] ?? null;
}

/** Its client is still there to hear of it. */
function isOutOfPatience({ cameAt, heldUpAt }: WaitingPacket): boolean {
  const now = performance.now();
  const isHeldLong = heldUpAt !== null && now - heldUpAt > LIMITS.heldUpMs;
  return isHeldLong || now - cameAt > LIMITS.packetPatienceMs;
}

/** What a request touches, as far as it says so itself: installation, address, proofs. */
function namesOf(request: RegistryRequest): readonly string[] {
  const installation = `installation ${installationIdOf(request)}`;
  if (request.kind === 'logout') return [installation];
  const { token, user } = request.input;
  const proofs = (user?.claims ?? []).flatMap(({ proof }) =>
    proof.kind === 'proven' ? [`proof ${proof.proofId}`] : [],
  );
  const address = token?.claim ? [nameOf(token.claim.key)] : [];
  return [installation, ...address, ...proofs];
}

function nameOf(addressKey: Buffer): string {
  return `address ${addressKey.toString('hex')}`;
}
