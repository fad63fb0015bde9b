import type { EventSource } from '../domain/event.ts';
import type { App } from '../store/apps.ts';

/**
 * Who asks for a change of an installation.
 *
 * - `client`: the installation itself, by its secret.
 * - `back_end`: the customer, by a secret key; arrival order counts.
 * - `simple`: a home-grown client on the simple routes, which has no secret; arrival order counts.
 */
export type Caller =
  | { readonly kind: 'client'; readonly secretHash: Buffer }
  | { readonly kind: 'back_end' }
  | { readonly kind: 'simple' };

/** What every registry write is told beside its input. */
export interface RegistryContext {
  readonly app: App;
  readonly caller: Caller;
  readonly requestId: string | null;
  readonly now: Date;
}

const SOURCES = { client: 'sdk', back_end: 'server_key', simple: 'simple' } as const;

export function sourceOf(caller: Caller): EventSource {
  return SOURCES[caller.kind];
}
