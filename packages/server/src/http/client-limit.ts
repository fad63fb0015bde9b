import { createRateLimiter } from '../access/rate-limiter.ts';
import type { Admit } from '../registry/caller.ts';
import type { App } from '../store/apps.ts';
import { ApiError } from './api-error.ts';

/** An installation may write in a burst, then once a second: more is a client in a loop. */
const PER_INSTALLATION = { burst: 300, perMinute: 60 } as const;
/**
 * Enrolments and wrong secrets of one address and app. The burst is for a mobile network, which
 * shares an address between many phones.
 */
const PER_ADDRESS = { burst: 300, perMinute: 30 } as const;

/** Slows down clients; back ends, logouts and removals never are. */
export interface ClientLimit {
  /** The judge of one request, which throws 429 when it comes too often. */
  admit(app: App, installationId: string, address: () => string, now: Date): Admit;
}

/**
 * Counts a request against the installation only once its secret was found right, so that nobody
 * else can use up what is the installation's; all others count against the address.
 */
export function createClientLimit(): ClientLimit {
  const installations = createRateLimiter(PER_INSTALLATION);
  const addresses = createRateLimiter(PER_ADDRESS);
  return {
    admit: (app, installationId, address, now) => (standing) => {
      const waitSeconds =
        standing === 'known'
          ? installations.take(`${app.ref}/${installationId.toLowerCase()}`, now)
          : addresses.take(`${app.ref}/${address()}`, now);
      if (waitSeconds === 0) return;
      throw new ApiError('rate_limited', `comes too often; wait ${waitSeconds} seconds`, {
        headers: { 'Retry-After': String(waitSeconds) },
      });
    },
  };
}
