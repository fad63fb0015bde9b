import type { HmsContent } from './payload.ts';

/** Huawei's limit for one call; an ownership check lets fewer through (`LIMITS.gateSlice`). */
export const MAX_TOKENS = 1000;

/** A push that is to be sent: its place among those that were offered, and where it goes. */
export interface Recipient {
  readonly place: number;
  readonly token: string;
}

/** One request: a content, and everybody who gets just this. */
export interface Call {
  readonly content: HmsContent;
  readonly recipients: readonly Recipient[];
}

/**
 * Puts pushes together that are the same but for their tokens. What differs in a single byte, such
 * as an addressee tag or a second of the time to live, gets a call of its own.
 */
export class CallBook {
  readonly #open = new Map<string, Recipient[]>();
  readonly #calls: Call[] = [];

  /** `part` keeps recipients apart that are not to share a call; null for all others. */
  add(content: HmsContent, recipient: Recipient, part: number | null): void {
    const key = `${part} ${content.target} ${content.pushType} ${content.text}`;
    const open = this.#open.get(key);
    if (open !== undefined && open.length < MAX_TOKENS) {
      open.push(recipient);
      return;
    }
    const recipients = [recipient];
    this.#open.set(key, recipients);
    this.#calls.push({ content, recipients });
  }

  /** In the order of their first pushes. */
  get calls(): readonly Call[] {
    return this.#calls;
  }
}

/** The same call in two, each of which has a part of its recipients. */
export function halvesOf({ content, recipients }: Call): readonly Call[] {
  const middle = Math.ceil(recipients.length / 2);
  return [recipients.slice(0, middle), recipients.slice(middle)].map((part) => ({
    content,
    recipients: part,
  }));
}
