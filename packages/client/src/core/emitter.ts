import type { PushEventName, PushEvents } from './push-client.ts';

export type Listener<K extends PushEventName> = (event: PushEvents[K]) => void;
export type Emit = <K extends PushEventName>(name: K, event: PushEvents[K]) => void;

export interface Emitter {
  /** A listener that throws harms nobody but itself. */
  readonly emit: Emit;
  readonly on: <K extends PushEventName>(name: K, listener: Listener<K>) => () => void;
}

export function createEmitter(): Emitter {
  const listeners: { readonly [K in PushEventName]: Set<Listener<K>> } = {
    registered: new Set(),
    signed_out: new Set(),
    token_error: new Set(),
    permission: new Set(),
    error: new Set(),
  };
  return {
    emit(name, event) {
      for (const listener of listeners[name]) {
        try {
          listener(event);
        } catch (error) {
          console.error(error);
        }
      }
    },
    on(name, listener) {
      listeners[name].add(listener);
      return () => listeners[name].delete(listener);
    },
  };
}
