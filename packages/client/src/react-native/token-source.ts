import type { TokenInput } from '@homing/protocol';
import type { TokenAnswer } from '../core/ports.ts';

/** Where this device's token comes from. What the system refuses, the methods throw. */
export interface TokenSource {
  /** Asks the system, which may never answer. */
  ask(): Promise<TokenAnswer>;
  /** Calls back with every token that the system gives unasked, until the result is called. */
  listen(listener: (token: TokenInput) => void): () => void;
  drop(): Promise<void>;
}
