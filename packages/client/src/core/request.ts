import type { Engine } from './engine.ts';
import type { Memory } from './memory.ts';
import type { ClientRequest } from './ports.ts';

/** A request about this installation, with the path below it. */
export function toRequest(
  { key }: Engine,
  { id, secret }: Memory,
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
