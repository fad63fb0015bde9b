import type { EventSource, EventStamp } from '../domain/event.ts';
import type { App } from '../store/apps.ts';

/**
 * Who asks for a change of an installation.
 *
 * - `client`: the installation itself, by its secret.
 * - `back_end`: the customer, by a secret key; arrival order counts.
 * - `simple`: a home-grown client on the simple routes, which has no secret; arrival order counts.
 */
export type Caller =
  | { readonly kind: 'client'; readonly secretHash: Buffer; readonly admit: Admit }
  | { readonly kind: 'back_end'; readonly keyHint: string }
  | { readonly kind: 'simple'; readonly bearer: SimpleBearer; readonly admit: Admit };

/** What a home-grown client shows: a secret key, its user's assertion, or nothing at all. */
export type SimpleBearer =
  | { readonly kind: 'key'; readonly hint: string }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'nobody' };

/**
 * Told what a caller turned out to be, under the locks and before anything is written for it. May
 * throw to turn one away that comes too often; what was begun for it is then undone.
 */
export type Admit = (standing: CallerStanding) => void;
export type CallerStanding = 'enrolling' | 'known' | 'stranger';

/** For what is never slowed down. */
export const ADMIT_ALL: Admit = () => {};

/**
 * The same judge, who is asked about a standing once and remembers: a packet that is looked at
 * again, after a lost race, is still one packet.
 */
export function admitOnce(admit: Admit): Admit {
  const verdicts = new Map<CallerStanding, { readonly refusal: unknown } | null>();
  return (standing) => {
    const verdict = verdicts.get(standing) ?? null;
    if (verdict !== null) throw verdict.refusal;
    if (verdicts.has(standing)) return;
    try {
      admit(standing);
      verdicts.set(standing, null);
    } catch (refusal) {
      verdicts.set(standing, { refusal });
      throw refusal;
    }
  };
}

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

/** The hint of the secret key that speaks; null when it is a device or a user. */
export function keyHintOf(caller: Caller): string | null {
  if (caller.kind === 'back_end') return caller.keyHint;
  return caller.kind === 'simple' && caller.bearer.kind === 'key' ? caller.bearer.hint : null;
}

/** What the events of one write have in common. */
export function stampOf({ caller, requestId, now }: RegistryContext): EventStamp {
  return { at: now, source: sourceOf(caller), requestId };
}
