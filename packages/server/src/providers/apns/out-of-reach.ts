import type { ApnsAddress } from '../../domain/address.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ApnsSettings } from './settings.ts';

/**
 * The outcome of a push that this key cannot reach by its settings; null for all others. Such a
 * push is not offered, because APNs slows down and finally disconnects whoever keeps trying.
 */
export function findOutOfReach(
  { environments, topics }: ApnsSettings,
  { environment, topic }: ApnsAddress,
): Outcome | null {
  if (!environments.includes(environment)) {
    const code = 'environment_not_configured';
    return { kind: 'token_mismatch', code, status: null, doubt: 'environment' };
  }
  if (!topics.includes(topic)) {
    return { kind: 'auth', code: 'topic_not_configured', status: null, scope: 'topic' };
  }
  return null;
}
