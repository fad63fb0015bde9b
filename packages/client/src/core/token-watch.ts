import type { Emit } from './emitter.ts';
import { isAllowed } from './live.ts';
import type { UpdateMemory } from './memory-store.ts';
import { backoffMs } from './pace.ts';
import type { Permission, Ports, TokenAnswer } from './ports.ts';
import type { Transmitter } from './transmitter.ts';

/** A system that says nothing for so long has no token at the moment; what it says later counts. */
const PATIENCE_MS = 30_000;
/** By then a token should have an acknowledged registration. */
const WARNING_MS = 10_000;

/**
 * Knows what the system says of this device: permission, token and facts, read at every start and
 * whenever the app comes back, and never taken from what an earlier process knew.
 */
export class TokenWatch implements Disposable {
  readonly #ports: Ports;
  readonly #update: UpdateMemory;
  readonly #transmitter: Transmitter;
  readonly #emit: Emit;
  readonly #warns: boolean;
  readonly #cancels = new Map<'listening' | 'waiting' | 'retrying' | 'warning', () => void>();
  #running: Promise<void> | null = null;
  /** The newest question; answers to earlier ones are of the past. */
  #question = 0;
  #failures = 0;

  constructor(
    ports: Ports,
    update: UpdateMemory,
    transmitter: Transmitter,
    emit: Emit,
    warns: boolean,
  ) {
    this.#ports = ports;
    this.#update = update;
    this.#transmitter = transmitter;
    this.#emit = emit;
    this.#warns = warns;
  }

  /** Null when the system owes no answer. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  async start(): Promise<void> {
    if (!this.#cancels.has('listening')) {
      const listen = (): void => {
        const stop = this.#ports.platform.onToken((token) => {
          this.#forget();
          if (token === null) this.wake();
          else this.#hear({ kind: 'token', token });
        });
        this.#cancels.set('listening', stop);
      };
      listen();
    }
    await this.look();
  }

  /** Reads again what the system says, and asks for a token where there may be one. */
  async look(): Promise<Permission> {
    const { platform } = this.#ports;
    const [device, permission] = await Promise.all([platform.device(), platform.permission()]);
    const before = this.#transmitter.live.permission;
    this.#transmitter.learn({ device, permission });
    if (before !== null && before !== permission) this.#emit('permission', { permission });
    const isWanted = await this.#update((memory) => [memory, !memory.isUnsubscribed]);
    if (isWanted && isAllowed(permission)) this.#ask();
    this.#transmitter.poke(false);
    return permission;
  }

  /** The same, for whoever does not wait for it. */
  wake(): void {
    this.#track(this.look());
  }

  async drop(): Promise<void> {
    this.#forget();
    await this.#ports.platform.dropToken();
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#question += 1;
  }

  /** What the system said of a token is of the past, and what it still owes will be. */
  #forget(): void {
    this.#question += 1;
    this.#cancels.get('waiting')?.();
    this.#transmitter.learn({ token: null });
  }

  #ask(): void {
    this.#question += 1;
    const question = this.#question;
    const hear = (answer: TokenAnswer): void => {
      if (question === this.#question) this.#hear(answer);
    };
    const detail = 'the system does not answer';
    const given = new Promise<void>((resolve) => {
      this.#later('waiting', PATIENCE_MS, () => hear({ kind: 'failed', code: 'timeout', detail }));
      const cancel = this.#cancels.get('waiting');
      this.#cancels.set('waiting', () => {
        cancel?.();
        resolve();
      });
    });
    this.#track(Promise.race([this.#ports.platform.token().then(hear), given]));
  }

  #hear(answer: TokenAnswer): void {
    const { live } = this.#transmitter;
    this.#cancels.get('waiting')?.();
    this.#transmitter.learn({ token: answer });
    if (answer.kind === 'token') {
      this.#failures = 0;
      if (this.#warns) this.#later('warning', WARNING_MS, () => this.#track(this.#warn()));
    } else {
      const { code, detail } = answer;
      const isNews = live.token?.kind !== 'failed' || live.token.code !== code;
      if (isNews) this.#emit('token_error', { code, detail });
      this.#failures += 1;
      this.#later('retrying', backoffMs(this.#failures + 3, 1), () => this.wake());
    }
    this.#transmitter.poke(false);
  }

  async #warn(): Promise<void> {
    if (await this.#transmitter.isRegistered()) return;
    console.warn('Homing: this device has a token and no acknowledged registration after 10 s.');
  }

  #later(name: 'waiting' | 'retrying' | 'warning', ms: number, callback: () => void): void {
    this.#cancels.get(name)?.();
    this.#cancels.set(name, this.#ports.time.after(ms, callback));
  }

  #track(work: Promise<unknown>): void {
    const all = this.#finish(this.#running, work).finally(() => {
      if (this.#running === all) this.#running = null;
    });
    this.#running = all;
  }

  async #finish(before: Promise<void> | null, work: Promise<unknown>): Promise<void> {
    try {
      await work;
      await before;
    } catch (error) {
      const at = new Date(this.#ports.time.now());
      this.#emit('error', { code: 'storage', detail: String(error), at });
    }
  }
}
