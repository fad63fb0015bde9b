import { freshIdentity } from './identity.ts';
import { freshMemory, parseMemory, type Memory } from './memory.ts';
import type { Cryptography, Store } from './ports.ts';

/** The memory as it will be, and what the caller learns of it. */
export type MemoryChange<T> = readonly [memory: Memory, result: T];

/** Reads and replaces the memory in one step; the same memory is not written. */
export type UpdateMemory = <T>(change: (memory: Memory) => MemoryChange<T>) => Promise<T>;

/**
 * The store as the client uses it: whoever comes first makes the installation, which is then as
 * durable as anything else before the first request tells of it.
 */
export function createMemoryStore(store: Store, cryptography: Cryptography): UpdateMemory {
  return (change) => {
    const spare = freshIdentity(cryptography);
    return store.update((text) => {
      const held = parseMemory(text);
      const memory = held ?? freshMemory(spare);
      const [next, result] = change(memory);
      return { text: next === held && text !== null ? text : JSON.stringify(next), result };
    });
  };
}
