import type { Engine } from '../core/engine.ts';
import type { Permission } from '../core/ports.ts';
import type { PushClient } from '../core/push-client.ts';
import type { Unsupported } from './support.ts';

/** What a page does with a client; the rest is its worker's. */
type PageClient = Pick<
  PushClient,
  'subscribe' | 'unsubscribe' | 'login' | 'logout' | 'setTags' | 'setDeviceTags' | 'status' | 'on'
>;

/**
 * Push as every page sees it, with or without a build; all tabs of the origin share one state.
 * Where push is not supported nothing rejects and nothing happens, so that a page need not ask
 * first.
 */
export interface PagePush extends PageClient, AsyncDisposable {
  /**
   * Call it once in each page, at its start. Reads permission and subscription, renews what has to
   * be, and checks in. Asks the person nothing. Rejects with `storage` where the browser keeps
   * nothing.
   */
  init(): Promise<void>;
  isSupported(): boolean;
  /** What functions of this package work on, as `selfCheck(push)`; null where it is not. */
  readonly engine: Engine | null;
  /** Why it is not; null where it is. */
  readonly unsupported: Unsupported | null;
  permission(): Permission;
  /** Asks the person; browsers want a click to come before. Does not register: `subscribe` does. */
  requestPermission(): Promise<Permission>;
}

/** Push as a page with a build sees it, which has no need to be small. */
export interface Push extends PagePush, Pick<PushClient, 'subscribeTopic' | 'unsubscribeTopic'> {}
