import { assertAnswered } from './answered.ts';
import { apnsToken, fcmToken, type Device } from './device.ts';
import type { Network } from './network.ts';
import { someAtOnce } from './some-at-once.ts';

/** Somebody with a phone: the user is signed in there, and pushes reach the token. */
export interface Person {
  readonly user: string;
  readonly token: string;
  readonly phone: Device;
}

export interface CrowdOptions {
  /** Default: iPhones and Androids in turn. */
  readonly provider?: 'apns' | 'fcm';
  /** Where the names begin: two crowds of one network need different ones. */
  readonly name?: string;
}

/** So many requests are open at once: enough to overlap, few enough for a laptop. */
const CONCURRENCY = 16;

/** Signs in so many users, each on a phone of their own; they are numbered from 0. */
export async function enrolCrowd(
  network: Network,
  count: number,
  { provider, name = 'user' }: CrowdOptions = {},
): Promise<readonly Person[]> {
  return someAtOnce(count, CONCURRENCY, async (index) => {
    const isApple = provider === undefined ? index % 2 === 0 : provider === 'apns';
    const token = isApple ? apnsToken() : fcmToken();
    const user = `${name}-${index}`;
    // Enrolments are limited by address, and these phones are at home in different places.
    const phone = network.device(`10.0.${index >> 8}.${index & 255}`);
    assertAnswered(await phone.register(token, user), 201);
    return { user, token: token.value, phone };
  });
}
