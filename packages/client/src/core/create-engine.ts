import { replace, type Engine } from './engine.ts';
import type { Lane } from './lane.ts';
import { UNKNOWN } from './live.ts';
import { poke } from './outbox.ts';
import { NO_FAILURES } from './pace.ts';
import type { Ports } from './ports.ts';
import type { PushClientOptions } from './push-client-options.ts';

/** An engine at rest: it does nothing before this or another context of the store asks for it. */
export function createEngine(
  options: PushClientOptions,
  ports: Ports,
  lanes: readonly Lane[],
): Engine {
  const engine: Engine = {
    ...UNKNOWN,
    ...options,
    ...ports,
    lanes,
    proofs: new Map(),
    listeners: new Set(),
    ends: new Map(),
    underWay: new Set(),
    failures: { ...NO_FAILURES },
    lastError: null,
    epoch: 0,
    lastDueAt: 0,
    outbox: null,
    isAsked: false,
    isUrgent: false,
    isEnded: false,
  };
  const stop = ports.store.onChange(() => poke(engine, false));
  replace(engine, 'store', stop);
  return engine;
}
