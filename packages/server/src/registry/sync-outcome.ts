import { groupOutcomes } from '../domain/group-outcome.ts';
import type { RegistryWrite } from '../store/change-set.ts';
import type { LogoutVerdict } from './judge-logout.ts';
import type { SyncVerdict } from './judge-sync.ts';
import type { SyncFacts } from './sync-facts.ts';
import type {
  LogoutRequest,
  LogoutResult,
  RegistryRequest,
  SyncRequest,
  SyncResult,
} from './sync-request.ts';

/** What became of one packet of a batch. */
export type SyncOutcome =
  | { readonly kind: 'answered'; readonly result: SyncResult | LogoutResult }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was done for it: it has to be written, or to wait for an earlier packet. */
  | { readonly kind: 'deferred'; readonly isKnown: boolean }
  /** Nothing was done for it: somebody else holds what it touches, or its company failed. */
  | { readonly kind: 'held_up' };

/** What a packet of a batch comes to, before it is written. */
export type Judged =
  | { readonly kind: 'sync'; readonly request: SyncRequest; readonly verdict: SyncVerdict }
  | { readonly kind: 'logout'; readonly request: LogoutRequest; readonly verdict: LogoutVerdict }
  | (Exclude<SyncOutcome, { readonly kind: 'answered' }> & { readonly request: RegistryRequest });

/** What a packet is told, once what it writes is written. */
export function toOutcome(
  judged: Judged,
  write: RegistryWrite | null,
  facts: SyncFacts,
): SyncOutcome {
  switch (judged.kind) {
    case 'sync':
      return { kind: 'answered', result: toSyncResult(judged.verdict, write, facts) };
    case 'logout': {
      const { verdict } = judged;
      const isRefused = verdict.kind === 'refused';
      return {
        kind: 'answered',
        result: isRefused ? { kind: verdict.refusal } : { kind: 'signed_out', seq: verdict.seq },
      };
    }
    case 'failed':
    case 'deferred':
    case 'held_up':
      return judged;
  }
}

function toSyncResult(
  verdict: SyncVerdict,
  write: RegistryWrite | null,
  facts: SyncFacts,
): SyncResult {
  switch (verdict.kind) {
    case 'refused':
      return { kind: verdict.refusal };
    case 'forked':
      return { kind: 'forked' };
    case 'token_held':
      return { kind: 'token_held', ...verdict.nonce };
    case 'token_challenged':
      return { kind: 'token_challenged', asked: verdict.asked };
    case 'decided': {
      const { accountMode } = facts;
      if (verdict.isWrongForm) return { kind: 'wrong_form', accountMode };
      const { installation, created, packet } = verdict;
      const { links } = packet.decided;
      const topics = facts.topics.get(installation.ref) ?? [];
      return {
        kind: 'synced',
        created,
        accountMode,
        installation: write?.changes.saved[0] ?? installation,
        topics: topics.filter((topic) => links.ended.every((end) => end.userRef !== topic.userRef)),
        outcomes: groupOutcomes(packet),
        refused: links.refused,
      };
    }
  }
}
