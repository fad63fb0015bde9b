import type { Surroundings } from './surroundings.ts';
import type { Conditions } from './sync-times.ts';

interface Refresh {
  readonly token: string;
  readonly begunAtMs: number;
  readonly conditions: Conditions;
}

/** Takes the time of one refresh at a time: from the system's word to the server's. */
export class TokenRefresh {
  readonly #around: Pick<Surroundings, 'times' | 'conditions'>;
  #refresh: Refresh | null = null;

  constructor(around: Pick<Surroundings, 'times' | 'conditions'>) {
    this.#around = around;
  }

  begin(token: string): void {
    this.interrupt();
    const conditions = this.#around.conditions();
    this.#refresh = { token, begunAtMs: performance.now(), conditions };
  }

  acknowledge(token: string): void {
    const refresh = this.#refresh;
    if (refresh === null || refresh.token !== token) return;
    const { times, conditions } = this.#around;
    if (refresh.conditions !== conditions()) return this.interrupt();
    times.add(refresh.conditions, performance.now() - refresh.begunAtMs);
    this.#refresh = null;
  }

  interrupt(): void {
    if (this.#refresh === null) return;
    const { conditions, begunAtMs } = this.#refresh;
    this.#around.times.interrupt(conditions, performance.now() - begunAtMs);
    this.#refresh = null;
  }
}
