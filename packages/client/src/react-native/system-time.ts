import type { Time } from '../core/ports.ts';

/** The clock and the timers of the process. */
export const systemTime: Time = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
