import type { Memory, PendingLogout, Receipt, WantedTopic } from './memory.ts';
import type { ClientRequest } from './ports.ts';

/** Requests that wait for their answer, one at a time. */
export type Sending =
  | { readonly kind: 'logout'; readonly logout: PendingLogout }
  | {
      readonly kind: 'packet';
      readonly seq: number;
      /** The state that it says, as it is compared. */
      readonly text: string;
      readonly body: string;
      readonly named: readonly string[];
      /** Those whose proofs went out before. */
      readonly worn: readonly string[];
    }
  | { readonly kind: 'topic'; readonly topic: WantedTopic }
  | { readonly kind: 'receipts'; readonly receipts: readonly Receipt[] };

/** What is to be done next. */
export type Step =
  | Sending
  /** Somebody has to vouch for this user. */
  | { readonly kind: 'prove'; readonly userId: string }
  /** Another context changed the memory meanwhile. */
  | { readonly kind: 'again' }
  /** Nothing before `until`, if that is a time, or before something happens. */
  | { readonly kind: 'idle'; readonly until: number | null };

/** A request about this installation, with the path below it. */
export function toRequest(
  { id, secret }: Memory,
  key: string,
  { method, path, body }: Omit<ClientRequest, 'headers'>,
): ClientRequest {
  return {
    method,
    path: `/v1/installations/${id}${path}`,
    headers: {
      authorization: `Bearer ${key}`,
      'homing-installation-secret': secret,
      ...(body !== null && { 'content-type': 'application/json' }),
    },
    body,
  };
}

/** What of the HTTP contract a step is. */
export function describe(step: Sending): Omit<ClientRequest, 'headers'> {
  switch (step.kind) {
    case 'logout': {
      const { userId, seq } = step.logout;
      const who = userId === null ? 'user' : `users/${encodeURIComponent(userId)}`;
      return { method: 'DELETE', path: `/${who}?seq=${seq}`, body: null };
    }
    case 'packet':
      return { method: 'PUT', path: '', body: step.body };
    case 'topic': {
      const { name, seq, userId, isWanted } = step.topic;
      const path = `/topics/${encodeURIComponent(name)}?seq=${seq}`;
      if (!isWanted) return { method: 'DELETE', path, body: null };
      const scope = userId === null ? { scope: 'device' } : { scope: 'user', user_id: userId };
      return { method: 'PUT', path, body: JSON.stringify(scope) };
    }
    case 'receipts': {
      const { receipts } = step;
      return { method: 'POST', path: '/receipts', body: JSON.stringify({ receipts }) };
    }
  }
}
