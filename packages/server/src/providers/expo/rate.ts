import type { Rate } from '../../domain/rate.ts';

/** What Expo grants a project: 600 notifications a second ("Push notification limits"). */
export const EXPO_RATE: Rate = { perSecond: 600, rampSeconds: 0 };
