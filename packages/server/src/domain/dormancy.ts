/** From when on the installations of a platform are silent, and from when on dormant. */
export interface SilenceThresholds {
  /** Days without contact after which a review warns. */
  readonly warnDays: number;
  /** Days without contact after which an installation is dormant. */
  readonly dormantDays: number;
  /**
   * True spares an installation for which a provider accepted a push within those days. Off by
   * default: FCM accepts pushes for 270 days after the app was last opened.
   */
  readonly unlessAccepted: boolean;
}

/** Whether a person or the policy applies what a review found. */
export type ReviewDecider = 'manual' | 'automatic';

/** What an app does about installations that keep silent. */
export interface DormancyPolicy {
  readonly fallback: SilenceThresholds;
  readonly platforms: Readonly<Record<string, SilenceThresholds>>;
  readonly apply: ReviewDecider;
  /** How long a review waits for a person before the policy applies it. */
  readonly applyAfterDays: number;
  /** Whether dormant installations still get what is not a campaign. */
  readonly sendTransactional: boolean;
  readonly purge: ReviewDecider;
}

/** The policy as JSON, in the database and in the API; what is left out has a default. */
export interface DormancyInput {
  readonly platforms?: Readonly<Record<string, SilenceInput>>;
  readonly apply?: ReviewDecider;
  readonly apply_after_days?: number;
  readonly send_transactional?: boolean;
  readonly purge?: ReviewDecider;
}

export interface SilenceInput {
  readonly warn_days?: number;
  readonly dormant_days?: number;
  readonly unless_accepted?: boolean;
}

/** The name under `platforms` that stands for every platform that is not named. */
const FALLBACK = 'default';
const THRESHOLDS: SilenceThresholds = { warnDays: 30, dormantDays: 60, unlessAccepted: false };

/** The policy with every default filled in; a platform takes from `default` what it leaves out. */
export function toDormancyPolicy(input: DormancyInput): DormancyPolicy {
  const { [FALLBACK]: named, ...platforms } = input.platforms ?? {};
  const fallback = toThresholds(named ?? {}, THRESHOLDS);
  const entries = Object.entries(platforms).map(
    ([platform, own]) => [platform, toThresholds(own, fallback)] as const,
  );
  return {
    fallback,
    platforms: Object.fromEntries(entries),
    apply: input.apply ?? 'manual',
    applyAfterDays: input.apply_after_days ?? 7,
    sendTransactional: input.send_transactional ?? true,
    purge: input.purge ?? 'manual',
  };
}

/** The JSON that `toDormancyPolicy` reads, with nothing left out. */
export function fromDormancyPolicy(policy: DormancyPolicy) {
  const entries = Object.entries({ [FALLBACK]: policy.fallback, ...policy.platforms });
  const platforms = entries.map(([platform, { warnDays, dormantDays, unlessAccepted }]) => {
    const own = { warn_days: warnDays, dormant_days: dormantDays, unless_accepted: unlessAccepted };
    return [platform, own] as const;
  });
  return {
    platforms: Object.fromEntries(platforms),
    apply: policy.apply,
    apply_after_days: policy.applyAfterDays,
    send_transactional: policy.sendTransactional,
    purge: policy.purge,
  };
}

/**
 * The first platform whose warning would come after its dormancy; null when every one makes sense.
 */
export function contradictoryPlatform(policy: DormancyPolicy): string | null {
  const all = { [FALLBACK]: policy.fallback, ...policy.platforms };
  const wrong = Object.entries(all).find(([, { warnDays, dormantDays }]) => warnDays > dormantDays);
  return wrong?.[0] ?? null;
}

function toThresholds(input: SilenceInput, fallback: SilenceThresholds): SilenceThresholds {
  return {
    warnDays: input.warn_days ?? fallback.warnDays,
    dormantDays: input.dormant_days ?? fallback.dormantDays,
    unlessAccepted: input.unless_accepted ?? fallback.unlessAccepted,
  };
}
