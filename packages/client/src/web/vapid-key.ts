import { readAnswer } from '../core/answer.ts';
import type { TokenAnswer, Transport } from '../core/ports.ts';

export type VapidKeyAnswer = string | Extract<TokenAnswer, { kind: 'failed' }>;

/** A page that stays open learns of another key when somebody comes back to it after so long. */
const FRESH_MS = 3_600_000;

/**
 * Tells the key that browsers are to subscribe with now, or why it cannot be had; asks the server
 * at most once an hour. `key` is the app's publishable key.
 */
export function createVapidKeyReader(
  transport: Transport,
  key: string,
): () => Promise<VapidKeyAnswer> {
  const headers = { authorization: `Bearer ${key}` };
  const request = { method: 'GET', path: '/v1/app/vapid-key', headers, body: null } as const;
  let [held, heldUntil] = ['', 0];
  return async () => {
    if (Date.now() < heldUntil) return held;
    const answer = await transport(request, new AbortController().signal);
    const { code, detail, body } = readAnswer(answer);
    const vapidKey = body['application_server_key'];
    if (typeof vapidKey !== 'string') return { kind: 'failed', code, detail };
    [held, heldUntil] = [vapidKey, Date.now() + FRESH_MS];
    return held;
  };
}
