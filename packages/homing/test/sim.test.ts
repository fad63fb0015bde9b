import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { request } from '../../../test/answer.ts';
import { takePort } from './dev-process.ts';
import { HomingProcess } from './homing-process.ts';
import { ScratchDirectory } from './scratch-directory.ts';

/** Whether a server's certificate is good for its address in the eyes of an authority. */
async function verifies(url: string, authority: string | undefined): Promise<boolean> {
  const { hostname: host, port } = new URL(url);
  const ca = authority === undefined ? {} : { ca: authority };
  const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2', 'http/1.1'], ...ca });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The first of so many ports in a row that are all free. */
async function findRow(length: number): Promise<number> {
  for (;;) {
    await using row = new AsyncDisposableStack();
    const { port } = row.use(await takePort());
    const others = Array.from({ length: length - 1 }, (_, index) => takePort(port + index + 1));
    const taken = await Promise.allSettled(others);
    for (const one of taken) if (one.status === 'fulfilled') row.use(one.value);
    if (taken.every((one) => one.status === 'fulfilled')) return port;
  }
}

describe('homing sim', () => {
  it('simulates the providers alone, under certificates of one authority that is kept', async () => {
    await using scratch = await ScratchDirectory.create();
    const directory = scratch.next();
    const args = ['sim', '--data', directory, '--simulator-port', '0'];
    await using sim = new HomingProcess(args);
    const [, journalUrl = ''] = await sim.says(/What arrived +(\S+)/);
    const overview = await request(new URL('/', journalUrl).href);
    const simulators = overview.body['simulators'] as unknown as readonly { url: string }[];
    assert.equal(simulators.length, 6);
    assert.equal((await request(journalUrl)).status, 200);

    const kept = JSON.parse(await readFile(join(directory, 'simulators.json'), 'utf8')) as {
      authority: { certificatePem: string };
    };
    for (const { url } of simulators) {
      assert(sim.output.includes(url), url);
      assert.equal(await verifies(url, kept.authority.certificatePem), true, url);
      assert.equal(await verifies(url, undefined), false, url);
    }
    const ending = await sim.stop('SIGINT');
    assert.deepEqual([ending.code, ending.complaints], [0, '']);
    await using taken = await takePort(Number(new URL(journalUrl).port));
    assert(taken.port > 0);
  });

  it('takes eight ports in a row when it is told the first', async () => {
    await using scratch = await ScratchDirectory.create();
    const port = await findRow(8);
    const args = ['sim', '--data', scratch.next(), '--simulator-port', String(port)];
    await using sim = new HomingProcess(args);
    await sim.says(/What arrived/);
    const ports = [...sim.output.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, found]) => Number(found));
    assert.deepEqual(
      [...new Set(ports)].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7].map((index) => port + index),
    );
    assert.equal((await sim.stop()).code, 0);
  });
});
