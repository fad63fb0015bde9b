import type { UserProof } from '../core/push-client-options.ts';
import type { Commands } from './command-queue.ts';
import { createPush, type PushOptions } from './create-push.ts';
import type { Push } from './push.ts';

type Callback<T extends readonly unknown[]> = ((...results: T) => void) | null | undefined;

interface SubscribeOptions {
  readonly uid?: string | number;
  readonly uidSignature?: string;
  /** Fetches an assertion for an installation, in place of a signature. */
  readonly assertion?: (installationId: string) => Promise<string>;
}

/**
 * The commands of pages without a build, `homing('subscribe', …)`; names and parameters are those
 * that Pushpad's users have in their pages. `baseUrl` is where Homing is, unless `init` says
 * otherwise; `report` gets why a page could not be started.
 */
export function createPageCommands(baseUrl: string, report: (error: unknown) => void): Commands {
  let push: Push | null = null;
  const ready = (): Push => {
    if (push === null) throw new Error('homing: "init" comes first');
    return push;
  };
  return {
    // Not awaited: a click that asks for permission has only seconds.
    init(key: string, options?: Partial<PushOptions>) {
      push = createPush({ baseUrl, key, ...options });
      void push.init().catch(report);
    },
    async subscribe(callback: Callback<[boolean]>, options: SubscribeOptions = {}) {
      const { uid } = options;
      await ready().requestPermission();
      const [permission] = await Promise.all([
        ready().subscribe(),
        uid === undefined ? null : ready().login(String(uid), proofOf(options)),
      ]);
      callback?.(permission === 'granted');
    },
    async uid(uid: string | number, uidSignature?: string, callback?: Callback<[]>) {
      await ready().login(String(uid), proofOf(uidSignature === undefined ? {} : { uidSignature }));
      callback?.();
    },
    async unsubscribe(callback?: Callback<[]>, options: { readonly uid?: boolean } = {}) {
      await (options.uid === true ? ready().logout() : ready().unsubscribe());
      callback?.();
    },
    async status(callback: Callback<[boolean, readonly string[], string | undefined]>) {
      await ready().init();
      const { token, users } = await ready().status();
      callback?.(token === 'present', [], users[0]);
    },
    unsupported(callback: Callback<[]>) {
      if (!ready().isSupported()) callback?.();
    },
    // Everything else that a page may do.
    ready: (callback: (push: Push) => unknown) => callback(ready()),
  };
}

function proofOf({ uidSignature, assertion }: SubscribeOptions): UserProof {
  if (assertion !== undefined) return { assertion };
  return uidSignature === undefined ? {} : { signature: uidSignature };
}
