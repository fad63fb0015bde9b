import { readAnswer } from '../core/answer.ts';
import type { TokenAnswer, Transport } from '../core/ports.ts';

/**
 * The key that browsers are to subscribe with now, or why it cannot be had. `key` is the app's
 * publishable key.
 */
export async function fetchVapidKey(
  transport: Transport,
  key: string,
): Promise<string | Extract<TokenAnswer, { kind: 'failed' }>> {
  const headers = { authorization: `Bearer ${key}` };
  const request = { method: 'GET', path: '/v1/app/vapid-key', headers, body: null } as const;
  const answer = readAnswer(await transport(request, new AbortController().signal));
  if (answer === null) return { kind: 'failed', code: 'no_answer', detail: '' };
  const { code, detail, body } = answer;
  const vapidKey = body['application_server_key'];
  return typeof vapidKey === 'string' ? vapidKey : { kind: 'failed', code, detail };
}
