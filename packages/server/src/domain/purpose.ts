import assert from 'node:assert';
import type { ApnsAddress, ApnsEnvironment } from './address.ts';
import { toAddress, type AddressResult, type CredentialFacts } from './token-input.ts';

/** What an installation may have an address for beside its alerts. */
export const PURPOSES = ['voip', 'live_activity', 'push_to_start'] as const;
export type Purpose = (typeof PURPOSES)[number];

/**
 * What each purpose adds to the bundle id to make its topic (Apple, "Sending notification requests
 * to APNs", `apns-topic`). A Live Activity is started and updated under the same topic.
 */
const TOPIC_SUFFIXES: Readonly<Record<Purpose, string>> = {
  voip: '.voip',
  live_activity: '.push-type.liveactivity',
  push_to_start: '.push-type.liveactivity',
};

/** What a notification is for, where it does not go to the alert tokens. */
export interface PurposeTarget {
  readonly name: Purpose;
  /** Which Live Activity; empty for the other purposes. */
  readonly activityId: string;
}

/** The topic that pushes for a purpose go to. */
export function purposeTopic(bundleId: string, purpose: Purpose): string {
  return bundleId + TOPIC_SUFFIXES[purpose];
}

/** Null for a text that names no purpose. */
export function parsePurpose(text: string): Purpose | null {
  return PURPOSES.find((purpose) => purpose === text) ?? null;
}

/** What a client reports as the token of one purpose. */
export interface ReportedPurposeToken {
  readonly value: string;
  readonly environment?: ApnsEnvironment;
  /** The bundle id; a topic that has the suffix of the purpose already means the same. */
  readonly topic?: string;
}

export type PurposeAddressResult =
  | { readonly kind: 'address'; readonly address: ApnsAddress }
  | Extract<AddressResult, { readonly kind: 'invalid' }>;

/** The address of a purpose token; what is left out comes from the app's APNs credential. */
export function toPurposeAddress(
  purpose: Purpose,
  token: ReportedPurposeToken,
  credentials: readonly CredentialFacts[],
): PurposeAddressResult {
  const suffix = TOPIC_SUFFIXES[purpose];
  const { value, environment } = token;
  const bundle = token.topic?.endsWith(suffix) ? token.topic.slice(0, -suffix.length) : token.topic;
  const result = toAddress(
    {
      provider: 'apns',
      value,
      ...(environment !== undefined && { environment }),
      ...(bundle !== undefined && { topic: bundle }),
    },
    credentials,
  );
  if (result.kind === 'invalid') return result;
  assert(result.address.provider === 'apns');
  const topic = purposeTopic(result.address.topic, purpose);
  return { kind: 'address', address: { ...result.address, topic } };
}
