import type { ReadAnswer } from './answer.ts';
import type { Identity } from './identity.ts';
import type { Live } from './live.ts';
import type { Memory } from './memory.ts';
import type { ClientRequest } from './ports.ts';
import type { ClientError } from './push-client.ts';

/**
 * One kind of thing that the server has to hear of. It looks at what there is and says what it
 * would do next; null for nothing. Pure: asked twice, it answers the same.
 */
export type Lane = (memory: Memory, live: Live, now: number) => Step | null;

export type Step =
  | Sending
  /** Somebody has to vouch for this user. */
  | { readonly kind: 'prove'; readonly userId: string }
  /** The digest of this state has to be made, which takes time. */
  | { readonly kind: 'digest'; readonly text: string };

/** A request about this installation, and what its answer comes to. */
export interface Sending extends Omit<ClientRequest, 'headers'> {
  readonly kind: 'send';
  /** Has to be durable before the request goes out. */
  readonly memory: Memory;
  /** Null where nothing came of it: later, the same again. `held` may be newer than `memory`. */
  readonly settle: (held: Memory, answer: ReadAnswer, around: Surroundings) => Settled | null;
}

/** What there is beside memory and answer. */
export interface Surroundings {
  readonly live: Live;
  /** For the case that this installation has to enrol anew. */
  readonly spare: Identity;
  readonly now: number;
}

/** What an answer comes to. */
export interface Settled {
  readonly memory: Memory;
  readonly live?: Partial<Live>;
  /** The same thing is to be told differently; the more often in a row, the later. */
  readonly isRepeat?: boolean;
  /** What the app should know. */
  readonly error?: Pick<ClientError, 'code' | 'detail'>;
}
