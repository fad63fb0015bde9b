import { settled } from '../core/engine.ts';
import { logoutLane } from '../core/logout-lane.ts';
import type { UserProof } from '../core/push-client-options.ts';
import { stateLane } from '../core/state-lane.ts';
import type { Commands } from './command-queue.ts';
import { openPagePush, type PushOptions } from './page-push.ts';
import type { PagePush } from './push.ts';

type Callback<T extends readonly unknown[]> = ((...results: T) => void) | null | undefined;

type FetchAssertion = (installationId: string) => Promise<string>;

interface SubscribeOptions {
  readonly uid?: string | number;
  readonly uidSignature?: string;
  /** Fetches an assertion for an installation, in place of a signature. */
  readonly assertion?: FetchAssertion;
}

/**
 * The commands of pages without a build, `homing('subscribe', …)`; names and parameters are those
 * that Pushpad's users have in their pages. `baseUrl` is where Homing is, unless `init` says
 * otherwise; `report` gets why a page could not be started, or not subscribe.
 */
export function createPageCommands(baseUrl: string, report: (error: unknown) => void): Commands {
  const commands: Record<string, (...parameters: never[]) => unknown> = {
    // Not awaited: a click that asks for permission has only seconds.
    init(key: string, options?: Partial<PushOptions>) {
      const push = openPagePush({ baseUrl, key, ...options }, [logoutLane, stateLane]);
      void push.init().catch(report);
      Object.assign(commands, commandsOf(push, report));
    },
  };
  return commands;
}

/** What a page may call once `init` has said where Homing is. */
export function commandsOf(push: PagePush, report: (error: unknown) => void): Commands {
  return {
    async subscribe(
      callback: Callback<[boolean]>,
      { uid, uidSignature, assertion }: SubscribeOptions = {},
    ) {
      const subscribe = async (): Promise<void> => {
        const permission = await push.subscribe();
        callback?.(permission === 'granted');
      };
      // A person may never answer, and no logout of the page may have to wait for that.
      void subscribe().catch(report);
      if (uid !== undefined) await push.login(String(uid), proofOf(uidSignature, assertion));
    },
    async uid(uid: string | number, uidSignature?: string, callback?: Callback<[]>) {
      await push.login(String(uid), proofOf(uidSignature));
      callback?.();
    },
    async unsubscribe(callback?: Callback<[]>, options: { readonly uid?: boolean } = {}) {
      await (options.uid === true ? push.logout() : push.unsubscribe());
      callback?.();
    },
    async status(callback: Callback<[boolean, readonly string[], string | undefined]>) {
      await push.init();
      // The subscription is known a moment later.
      await (push.engine && settled(push.engine));
      const { token, users } = await push.status();
      callback?.(token === 'present', [], users[0]);
    },
    unsupported(callback: Callback<[]>) {
      if (!push.isSupported()) callback?.();
    },
    // Everything else that a page may do.
    ready: (callback: (push: PagePush) => unknown) => callback(push),
  };
}

function proofOf(signature?: string, assertion?: FetchAssertion): UserProof {
  if (assertion !== undefined) return { assertion };
  return signature === undefined ? {} : { signature };
}
