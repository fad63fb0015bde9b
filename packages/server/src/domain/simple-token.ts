import { HMS_KINDS, type Address } from './address.ts';
import {
  canonicalApnsToken,
  isApnsToken,
  toAddress,
  type CredentialFacts,
  type ReportedToken,
} from './token-input.ts';

/**
 * The provider of a bare token, by its shape. An iOS device proves nothing: it may well use FCM.
 */
export function reportedTokenOf(
  text: string,
  provider: 'apns' | 'fcm' | 'expo' | 'hms' | null,
): ReportedToken {
  return { provider: provider ?? providerByShape(text), value: text };
}

function providerByShape(text: string): 'apns' | 'fcm' | 'expo' {
  if (text.startsWith('ExponentPushToken[') || text.startsWith('ExpoPushToken[')) return 'expo';
  const digits = canonicalApnsToken(text);
  return digits.length >= 64 && isApnsToken(digits) ? 'apns' : 'fcm';
}

/**
 * Every address that a bare token can stand for in an app: one for each environment and topic of
 * its APNs credentials and each of its Firebase projects.
 */
export function candidateAddresses(
  text: string,
  credentials: readonly CredentialFacts[],
): readonly Address[] {
  const reported = credentials.flatMap((credential): readonly ReportedToken[] => {
    switch (credential.provider) {
      case 'apns':
        return credential.environments.flatMap((environment) =>
          credential.topics.map(
            (topic) => ({ provider: 'apns', value: text, environment, topic }) as const,
          ),
        );
      case 'fcm':
        return (['token', 'fid'] as const).map((kind) => ({
          provider: 'fcm',
          kind,
          value: text,
          project: credential.project,
        }));
      case 'webpush':
        return [];
      case 'expo':
        return [{ provider: 'expo', value: text }];
      case 'hms':
        return HMS_KINDS.map((kind) => ({ provider: 'hms', kind, value: text }) as const);
    }
  });
  const bare = { provider: providerByShape(text), value: text } as const;
  return [...reported, bare].flatMap((token) => {
    const result = toAddress(token, credentials);
    return result.kind === 'address' ? [result.address] : [];
  });
}
