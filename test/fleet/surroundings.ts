import type { ProvisionedApp } from '@homing/server';
import type { Issuer } from '../issuer.ts';
import type { RegistryBook } from '../storm/registry-book.ts';
import type { PushChannel } from './push-channel.ts';
import type { Conditions, SyncTimes } from './sync-times.ts';
import type { Violations } from './violations.ts';

/** A message to users, as its sender numbered it. */
export interface FleetMessage {
  readonly users: ReadonlySet<string>;
  /** The moment before it was sent, on the clock of `performance`. */
  readonly begunAtMs: number;
}

/** What the phones of a fleet share. */
export interface Surroundings {
  readonly app: ProvisionedApp;
  readonly issuer: Issuer;
  /** Base URL of the network. */
  readonly url: string;
  /** Milliseconds since 1970, as providers and servers see it. */
  readonly now: () => number;
  readonly users: readonly string[];
  readonly channel: PushChannel;
  readonly book: RegistryBook;
  readonly messages: ReadonlyMap<number, FleetMessage>;
  readonly times: SyncTimes;
  readonly violations: Violations;
  readonly conditions: () => Conditions;
}
