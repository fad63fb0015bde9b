import type { Exclusive } from '../core/ports.ts';

/**
 * Runs one task at a time, in the order of asking. An app of React Native has one process with one
 * JavaScript context, background handlers included, so that nothing beyond it has to be excluded.
 */
export function createSerial(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    // A task that fails is its caller's business, and not that of the one behind it.
    last = result.catch(() => undefined);
    return result;
  };
}
