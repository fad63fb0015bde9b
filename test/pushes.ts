import type { Entry, Journal } from '@homing/simulators';
import type { Network } from './network.ts';

/** The pushes that a provider took, whatever it answered, oldest first. */
export function acceptedPushes(journal: Journal, after = 0): readonly Entry[] {
  return journal.entries({ after }).filter((entry) => entry.token !== null && entry.accepted);
}

/** Runs an action, waits until its work is done and tells which tokens got a push by it, sorted. */
export async function tokensReached(
  network: Network,
  action: () => Promise<unknown>,
): Promise<readonly string[]> {
  const before = network.journal.counters.received;
  await action();
  await network.drain();
  return acceptedPushes(network.journal, before)
    .map((entry) => entry.token ?? '')
    .toSorted();
}

/** Tokens in the order in which `tokensReached` lists them. */
export function tokens(...reported: readonly { readonly value: string }[]): readonly string[] {
  return reported.map((token) => token.value).toSorted();
}
