import type { Fault } from './fault.ts';

/** What a token that begins with a certain prefix brings about, without any set-up. */
export interface Sentinel<State> {
  readonly prefix: string;
  readonly meaning: string;
  readonly effect:
    | { readonly kind: 'state'; readonly state: (nowMs: number) => State }
    /** `once` spares the second push to a token, so that a retry can be seen to succeed. */
    | { readonly kind: 'fault'; readonly fault: Fault; readonly times: 'once' | 'always' };
}

// How many tokens are remembered as having had their one fault.
const MAX_SPENT = 100_000;

/** Looks tokens up in a table of sentinels; constant time, because every push passes here. */
export class SentinelTokens<State> {
  readonly #byPrefix: ReadonlyMap<string, Sentinel<State>>;
  readonly #prefixOf: (token: string) => string | null;
  readonly #spent = new Set<string>();

  constructor(table: readonly Sentinel<State>[], prefixOf: (token: string) => string | null) {
    this.#byPrefix = new Map(table.map((sentinel) => [sentinel.prefix, sentinel]));
    this.#prefixOf = prefixOf;
  }

  /** The state that the token claims for itself; null when it claims none. */
  stateOf(token: string, nowMs: number): State | null {
    const effect = this.#find(token)?.effect;
    return effect?.kind === 'state' ? effect.state(nowMs) : null;
  }

  /** The fault that is due for this push to the token; spends it when it is due only once. */
  takeFault(token: string): Fault | null {
    const effect = this.#find(token)?.effect;
    if (effect?.kind !== 'fault') return null;
    if (effect.times === 'always') return effect.fault;
    if (this.#spent.has(token)) return null;
    if (this.#spent.size >= MAX_SPENT) this.#spent.clear();
    this.#spent.add(token);
    return effect.fault;
  }

  #find(token: string): Sentinel<State> | null {
    const prefix = this.#prefixOf(token);
    return prefix === null ? null : (this.#byPrefix.get(prefix) ?? null);
  }
}
