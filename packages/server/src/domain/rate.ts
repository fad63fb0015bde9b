/** How fast something may be sent, by all workers together. */
export interface Rate {
  readonly perSecond: number;
  /**
   * After a quiet time of this length, or a refusal, the rate grows back over this time instead of
   * starting in full; 0 for a rate that always holds.
   */
  readonly rampSeconds: number;
}

/** A rate with the name by which all workers know what is left of it. */
export interface RateBucket {
  readonly name: string;
  readonly rate: Rate;
}

/** What an operator set for one credential: null for the provider's own figure. */
export interface RateSetting {
  /** 0 lifts every limit. */
  readonly perMinute: number | null;
  readonly rampSeconds: number | null;
}

/** The rate of a credential; null when nothing limits it. */
export function rateOf(setting: RateSetting, fallback: Rate | null): Rate | null {
  if (setting.perMinute === 0) return null;
  const perSecond = setting.perMinute === null ? fallback?.perSecond : setting.perMinute / 60;
  if (perSecond === undefined) return null;
  return { perSecond, rampSeconds: setting.rampSeconds ?? fallback?.rampSeconds ?? 0 };
}

/** The pace that a notification was given; all its pushes count, retries among them. */
export function paceBucket(notificationRef: number, perSecond: number): RateBucket {
  return { name: `notification/${notificationRef}`, rate: { perSecond, rampSeconds: 0 } };
}
