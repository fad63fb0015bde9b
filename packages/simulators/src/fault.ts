/**
 * What can go wrong with one request on purpose. `answer`, `reset`, `silence` and `refused_stream`
 * leave the push unprocessed; the two `accept_*` kinds process it first, which is how a client
 * comes to send twice; the others disturb the connection and then serve the request normally,
 * except for a `goaway` that leaves this stream out.
 */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'refused_stream' }
  | { readonly kind: 'accept_then_reset' }
  | {
      readonly kind: 'accept_then_answer';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    }
  | {
      readonly kind: 'goaway';
      readonly reason: string;
      /** Whether the last stream id of the frame covers the request that set it off. */
      readonly lastStream: 'this' | 'before_this';
    }
  | { readonly kind: 'stream_limit'; readonly maxConcurrentStreams: number };

export type FaultKind = Fault['kind'];

/** The faults that replace the provider's answer with another. */
export type AnswerFault = Extract<Fault, { readonly status: number }>;

/** Which requests are meant. Without a path only pushes are, never the OAuth endpoint. */
export interface Match {
  readonly token?: string;
  readonly path?: string;
}

/** The part of a request that a match looks at. */
export interface Target {
  readonly token: string | null;
  readonly path: string;
  readonly isPush: boolean;
}

/** Whether a match means this request. Tokens compare in lower case for the sake of hex. */
export function matches(match: Match, target: Target): boolean {
  if (match.path === undefined ? !target.isPush : match.path !== target.path) return false;
  return match.token === undefined || match.token.toLowerCase() === target.token?.toLowerCase();
}
