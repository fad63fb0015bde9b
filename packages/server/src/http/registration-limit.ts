import { createRateLimiter } from '../access/rate-limiter.ts';
import type { RegistryContext } from '../registry/caller.ts';
import { ApiError } from './api-error.ts';

/** An installation may register in a burst, then once a second: more is a client in a loop. */
const PER_INSTALLATION = { burst: 300, perMinute: 60 } as const;
/** Enrolments of one address and app; a mobile network shares an address between many phones. */
const PER_ADDRESS = { burst: 3_000, perMinute: 3_000 } as const;

/**
 * Throws 429 when an installation, or an address, registers too often. Back ends are not limited.
 */
export function createRegistrationLimit(): (
  context: RegistryContext,
  installationId: string,
  address: string,
) => void {
  const installations = createRateLimiter(PER_INSTALLATION);
  const addresses = createRateLimiter(PER_ADDRESS);
  return ({ app, caller, now }, installationId, address) => {
    if (caller.kind === 'back_end') return;
    const waitSeconds = Math.max(
      installations.take(`${app.ref}/${installationId}`, now),
      addresses.take(`${app.ref}/${address}`, now),
    );
    if (waitSeconds === 0) return;
    throw new ApiError('rate_limited', `registers too often; wait ${waitSeconds} seconds`, {
      headers: { 'Retry-After': String(waitSeconds) },
    });
  };
}
