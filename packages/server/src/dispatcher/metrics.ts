import type { ProviderName } from '../domain/address.ts';
import type { OutcomeKind } from '../domain/outcome.ts';

/** What the dispatcher counts; labels have few values. */
export interface DispatcherMetrics {
  outcome(provider: ProviderName, kind: OutcomeKind): void;
  /** What a provider said later of a push that it had taken. */
  receipt(provider: ProviderName, kind: OutcomeKind): void;
  /** So many refusals changed no token, because its device knew better (rule R8). */
  refuted(count: number): void;
  /** Something that should not happen kept a chunk from its run. */
  fault(error: unknown): void;
}
