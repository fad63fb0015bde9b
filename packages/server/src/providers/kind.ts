import type { ApnsEnvironment } from '../domain/address.ts';
import type { Clock } from '../domain/clock.ts';
import type { Push } from '../domain/push.ts';
import type { RateSetting } from '../domain/rate.ts';
import type { ReasonTables } from './answer-reasons.ts';
import type { ProviderTokenStore } from './provider-token-store.ts';
import type { OpenProvider } from './provider.ts';
import type { ParsedSettings } from './settings-reader.ts';

/** What an operator gave for a credential, checked and divided. */
export interface CredentialParts {
  /** What the provider counts by and addresses belong to: a team, a project, an account. */
  readonly project: string;
  readonly environments: readonly ApnsEnvironment[];
  /** What may be addressed with it: topics of APNs, kinds of HMS tokens. */
  readonly topics: readonly string[];
  /** What may be shown. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What is sealed. */
  readonly secret: Readonly<Record<string, unknown>>;
  /** When the provider stops taking it; null, or left out, where nobody can tell. */
  readonly expiresAt?: Date | null;
}

/** A credential in the clear, for as long as it takes to open its provider. */
export interface ClearCredential {
  readonly ref: number;
  /** Public and secret parts together, as the operator gave them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly rate: RateSetting;
}

/** What a credential is opened with. */
export interface Surroundings {
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
  /** How long an answer may take; the provider's own figure when left out. */
  readonly answerTimeoutMs?: number;
}

/** The size of a payload, as the provider counts. */
export interface PayloadSize {
  /** 0 for a message that the payload builder refuses. */
  readonly bytes: number;
  readonly most: number;
}

/** Everything that Homing does differently for one kind of credential. */
export interface ProviderKind {
  /** Every problem names its field, and none repeats a value. */
  divide(input: Readonly<Record<string, unknown>>): ParsedSettings<CredentialParts>;
  /** Throws for settings that `divide` would refuse: they were changed by other means. */
  open(credential: ClearCredential, surroundings: Surroundings): OpenProvider;
  /** How large the payload of a push to an address of this kind is. */
  measure(push: Push): PayloadSize;
  /** Every answer that it is known to give, and those of whoever it gets its tokens from. */
  readonly reasons: ReasonTables;
}

/** The settings of a credential that was checked when it was added. */
export function requireSettings<S>({ ref }: ClearCredential, parsed: ParsedSettings<S>): S {
  if (parsed.kind === 'settings') return parsed.settings;
  const fields = parsed.problems.map((problem) => problem.field).join(', ');
  throw new Error(`credential ${ref} has unusable settings: ${fields}`);
}
