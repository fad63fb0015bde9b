import assert from 'node:assert/strict';
import type { Opened } from './encrypted-content.ts';
import { readPublicPoint } from './public-point.ts';
import type { WebPushSimulator } from './simulator.ts';
import type { EncryptedMessage } from './subscription.ts';
import { UserAgentKeys } from './user-agent-keys.ts';
import type { GivenKeys, PublicKeys } from './user-agent-keys.ts';

/** A `PushSubscription` as its `toJSON` gives it to the page (Push API section 8). */
export interface PushSubscriptionJson {
  readonly endpoint: string;
  readonly expirationTime: null;
  readonly keys: PublicKeys;
}

/** A browser, as far as Web Push knows browsers: keys, subscriptions, and who can open messages. */
export interface UserAgent {
  readonly keys: PublicKeys;
  /**
   * Subscribes at a service. The key is the application server's, in base64url. With a sentinel
   * the endpoint brings its fate along. Throws for a key that a browser would refuse.
   */
  subscribe(
    simulator: WebPushSimulator,
    applicationServerKey: string,
    sentinel?: string,
  ): PushSubscriptionJson;
  /** Ends one of its subscriptions. */
  unsubscribe(subscription: PushSubscriptionJson): void;
  /** Decrypts a message's body. */
  open(body: Buffer): Opened;
}

/** Creates a browser with fresh keys, or with given ones. */
export function createUserAgent(given?: GivenKeys): UserAgent {
  const keys = new UserAgentKeys(given);
  const simulators = new Map<string, WebPushSimulator>();
  const holder = {
    read: (message: EncryptedMessage) => contentOf(keys, message),
    receive: () => undefined,
  };
  return {
    keys: keys.public,
    subscribe: (simulator, applicationServerKey, sentinel) => {
      const point = readPublicPoint(applicationServerKey);
      assert(point !== null, 'An application server key is an uncompressed point on P-256.');
      const key = point.toString('base64url');
      const request = { holder, applicationServerKey: key };
      const endpoint = simulator.subscribe(
        sentinel === undefined ? request : { ...request, sentinel },
      );
      simulators.set(endpoint, simulator);
      return { endpoint, expirationTime: null, keys: keys.public };
    },
    unsubscribe: ({ endpoint }) => simulators.get(endpoint)?.unsubscribe(endpoint),
    open: (body) => keys.open(body),
  };
}

/** JSON if it is any, else text; null for an empty push. What cannot be read says why. */
function contentOf(keys: UserAgentKeys, { body }: EncryptedMessage): unknown {
  if (body.length === 0) return null;
  const opened = keys.open(body);
  if (!opened.ok) return { unreadable: opened.problem };
  const text = opened.plaintext.toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
