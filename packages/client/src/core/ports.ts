import type { TokenInput } from '@homing/protocol';

/** What the operating system or the browser lets the app do. */
export type Permission = 'granted' | 'provisional' | 'ephemeral' | 'denied' | 'default';

/** Facts about the device that the registry keeps; a packet carries all of them. */
export interface DeviceFacts {
  readonly platform: string;
  readonly vendor_id?: string;
  readonly label?: string;
  readonly model?: string;
  readonly os_version?: string;
  readonly app_version?: string;
  readonly locale?: string;
  readonly time_zone?: string;
}

/** What the system answered when it was asked for this device's token. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: TokenInput }
  /** There is none at the moment; `code` is the system's own name for why. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

/**
 * What a platform lets the client see and do. No method rejects: what the system refuses is a
 * value.
 */
export interface Platform {
  device(): Promise<DeviceFacts>;
  /** Never asks the person. */
  permission(): Promise<Permission>;
  /** Asks the person, who may have to be looking; at once where that was answered before. */
  requestPermission(): Promise<Permission>;
  /** Asks the system, not a copy of what it said before. Only called with permission. */
  token(): Promise<TokenAnswer>;
  /**
   * Calls back with every token that the system gives unasked, until the result is called; with
   * null when the token was given back elsewhere, so that what this process knows is of the past,
   * and the system is asked again where a token is still wanted.
   */
  onToken(listener: (token: TokenInput | null) => void): () => void;
  /** Gives the token back to the system, so that what was sent to it reaches nobody. */
  dropToken(): Promise<void>;
  /** Takes everything off the screen that this app shows, and the number off its icon. */
  clearShown(): Promise<void>;
}

/**
 * Where the client's memory lives: one text. On systems with backups it stands where none reaches,
 * because it holds the installation secret (rule R15).
 */
export interface Store {
  /**
   * Reads and replaces in one step that no other context of this installation (tab, worker,
   * process) comes between. `change` is pure and may be called again. Resolves when the text is as
   * durable as the platform makes it. Rejects, and has changed nothing, where it cannot be kept.
   */
  update<T>(change: (text: string | null) => StoreChange<T>): Promise<T>;
  /** Calls back when another context may have changed the text, until the result is called. */
  onChange(listener: () => void): () => void;
}

export interface StoreChange<T> {
  /** Equal to what was read: nothing is written. */
  readonly text: string;
  readonly result: T;
}

/** A request of the HTTP contract. */
export interface ClientRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** From the root of the server: `/v1/installations/…`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface ClientAnswer {
  readonly status: number;
  /** Of a header by its lower-case name; null when it is not there. */
  header(name: string): string | null;
  readonly body: string;
}

/** Resolves to the server's answer; null when none came, whatever became of the request. */
export type Transport = (
  request: ClientRequest,
  signal: AbortSignal,
) => Promise<ClientAnswer | null>;

/** Time as the client sees it; tests have one of their own. */
export interface Time {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the result is called before. */
  after(ms: number, callback: () => void): () => void;
}

export interface Cryptography {
  randomBytes(count: number): Uint8Array;
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Runs one task at a time among all contexts that share the store, in the order of asking. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

/** Everything that the client needs and is not pure. */
export interface Ports {
  readonly platform: Platform;
  readonly store: Store;
  readonly transport: Transport;
  readonly time: Time;
  readonly cryptography: Cryptography;
  readonly exclusive: Exclusive;
}
