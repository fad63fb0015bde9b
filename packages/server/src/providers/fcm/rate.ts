import type { Rate } from '../../domain/rate.ts';

/**
 * What Google grants a project unless it agreed to more: 600,000 messages a minute, and a traffic
 * that grows over a minute ("Throttling and Quotas" and "Best practices when sending FCM messages
 * at scale").
 */
export const FCM_RATE: Rate = { perSecond: 10_000, rampSeconds: 60 };
