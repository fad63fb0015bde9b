import type { Exclusive, Store, StoreChange } from '../../packages/client/src/core/ports.ts';

/** Where an installation's memory lives: what a process writes outlives it. */
export class Disk {
  text: string | null;
  /** A full disk keeps nothing. */
  isFull = false;
  readonly #listeners = new Set<() => void>();
  #line: Promise<unknown> = Promise.resolve();

  constructor(text: string | null = null) {
    this.text = text;
  }

  /** What a backup of everything would carry to another phone. */
  copy(): Disk {
    return new Disk(this.text);
  }

  /** The store as one process has it; a dead process writes nothing any more. */
  open(isAlive: () => boolean): Store {
    let own: (() => void) | null = null;
    return {
      update: async <T>(change: (text: string | null) => StoreChange<T>): Promise<T> => {
        if (!isAlive()) throw new Error('the process was killed');
        const { text, result } = change(this.text);
        if (text === this.text) return result;
        if (this.isFull) throw new Error('the disk is full');
        this.text = text;
        for (const listener of this.#listeners) if (listener !== own) listener();
        return result;
      },
      onChange: (listener) => {
        own = listener;
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  /** One task at a time among all processes. */
  readonly exclusive: Exclusive = (task) => {
    const turn = this.#line.then(task, task);
    this.#line = turn.catch(() => {});
    return turn;
  };
}
