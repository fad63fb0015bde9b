import { FEWEST_TOKEN_FAILURES, type Engine } from './engine.ts';
import type { Lane } from './lane.ts';
import { freshLive } from './live.ts';
import { poke } from './outbox.ts';
import type { Ports } from './ports.ts';
import type { PushClientOptions } from './push-client-options.ts';

/** An engine at rest: it does nothing before somebody asks, or another context of the store does. */
export function createEngine(
  options: PushClientOptions,
  ports: Ports,
  lanes: readonly Lane[],
): Engine {
  const engine: Engine = {
    options,
    ports,
    lanes,
    listeners: new Set(),
    cancels: new Map(),
    underWay: new Set(),
    failures: { send: 0, repeat: 0, prove: 0, token: FEWEST_TOKEN_FAILURES },
    live: freshLive(options),
    lastError: null,
    heard: () => {},
    onToken: () => {},
    question: 0,
    epoch: 0,
    abort: () => {},
    lastDueAt: 0,
    outbox: null,
    isAsked: false,
    isEnded: false,
  };
  engine.cancels.set('store', ports.store.onChange(() => poke(engine, false)));
  return engine;
}
