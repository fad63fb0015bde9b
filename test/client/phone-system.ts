import type { TokenInput } from '@homing/protocol';
import type {
  DeviceFacts,
  Permission,
  Platform,
  TokenAnswer,
} from '../../packages/client/src/core/ports.ts';

/** A notification on the screen. */
export interface Shown {
  readonly id: string;
  /** Whose it is; null for everybody's. */
  readonly rcpt: string | null;
}

/** The operating system of a phone: what it lets the app have, and what stands on its screen. */
export class PhoneSystem implements Platform {
  current: Permission;
  /** What a person answers when asked. */
  answer: Permission = 'granted';
  /** Null for a system that does not answer. */
  given: TokenAnswer | null;
  facts: DeviceFacts = { platform: 'android', app_version: '1.0.0', locale: 'de-CH' };
  screen: readonly Shown[] = [];
  /** How often a person was asked, and the system for a token. */
  readonly counts = { asked: 0, tokens: 0, dropped: 0 };
  readonly #listeners = new Set<(token: TokenInput | null) => void>();

  constructor(token: TokenInput | null, permission: Permission = 'granted') {
    this.current = permission;
    this.given = token === null ? null : { kind: 'token', token };
  }

  /** The system gives the app another token, whether or not it runs. */
  refresh(token: TokenInput): void {
    this.given = { kind: 'token', token };
    for (const listener of this.#listeners) listener(token);
  }

  /** The system says that the token is gone; whoever asks is given the next one. */
  revoke(next: TokenInput): void {
    this.given = { kind: 'token', token: next };
    for (const listener of this.#listeners) listener(null);
  }

  async device(): Promise<DeviceFacts> {
    return this.facts;
  }

  async permission(): Promise<Permission> {
    return this.current;
  }

  async requestPermission(): Promise<Permission> {
    this.counts.asked += 1;
    if (this.current === 'default') this.current = this.answer;
    return this.current;
  }

  async token(): Promise<TokenAnswer> {
    this.counts.tokens += 1;
    return this.given ?? new Promise(() => {});
  }

  onToken(listener: (token: TokenInput | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async dropToken(): Promise<void> {
    this.counts.dropped += 1;
  }

  async clearShown(): Promise<void> {
    this.screen = [];
  }
}
