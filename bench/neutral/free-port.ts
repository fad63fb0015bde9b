import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of the loopback address that nothing listens on, for programs that cannot choose one
 * themselves. Somebody else may take it before they do; then they fail to start.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert(address !== null && typeof address === 'object');
  return address.port;
}
