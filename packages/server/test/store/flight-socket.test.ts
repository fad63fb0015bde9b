import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { openFlightSocket } from '../../src/store/flight-socket.ts';

test('what is written in one turn leaves at once, and what is large holds nothing back', async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(createServer());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const socket = openFlightSocket({ host: ['127.0.0.1'], port: [port] });
  stack.defer(() => void socket.destroy());
  const [[received]] = (await Promise.all([accepted, once(socket, 'connect')])) as [[Socket], []];
  stack.defer(() => void received.destroy());

  assert.equal(socket.write('begin;'), true);
  await Promise.resolve();
  assert.equal(socket.write(Buffer.alloc(200_000, 'x')), true, 'the driver would stop and wait');
  await Promise.resolve();
  assert.equal(socket.bytesWritten, 200_006);
  assert.equal(socket.writableCorked, 1, 'nothing has left before the turn is over');
  await new Promise<void>((resolve) => process.nextTick(resolve));
  assert.equal(socket.writableCorked, 0);

  let bytes = 0;
  for await (const part of received) {
    bytes += (part as Buffer).length;
    if (bytes === 200_006) break;
  }
});
