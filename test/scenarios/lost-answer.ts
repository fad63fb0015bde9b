import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import type { Packet } from './phone.ts';

/**
 * `✗resp`: lets a packet through to the server and cuts the connection at the first byte of the
 * answer, so that it was applied and its sender does not know.
 */
export async function loseAnswer(packet: Packet, server: string): Promise<void> {
  const { hostname, port } = new URL(server);
  let cut = 0;
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.pipe(upstream);
    upstream.once('data', () => {
      cut += 1;
      client.resetAndDestroy();
      upstream.destroy();
    });
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    const { port: proxyPort } = proxy.address() as AddressInfo;
    await assert.rejects(packet(`http://127.0.0.1:${proxyPort}`), /fetch failed/);
    assert.equal(cut, 1);
  } finally {
    proxy.close();
    await once(proxy, 'close');
  }
}
