import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';

/** More lines than all buffers between the database and a reader that does not read can hold. */
const DELIVERIES = 60_000;
const DEADLINE_MS = 60_000;

interface Line {
  readonly installation_id: string;
  readonly state: string;
}

describe('the deliveries of a large notification', () => {
  let network: Network;
  let notificationId: string;

  before(async () => {
    network = await startNetwork();
    const phone = network.device();
    assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
    notificationId = await network.backEnd.sendToUsers(['anna']);
    await network.drain();
    await fill(network, DELIVERIES - 1);
  });
  after(() => network[Symbol.asyncDispose]());

  it('come once each, in batches that end anywhere', async () => {
    const lines = await readLines(await open());
    assert.equal(lines.length, DELIVERIES);
    assert.equal(new Set(lines.map((line) => line.installation_id)).size, DELIVERIES);
  });

  it('are read from the ledger at the pace at which they are fetched', async () => {
    const response = await open();
    await once(response, 'readable');
    const { db } = network.homing;
    // Whoever had read ahead would not see it any more.
    await db`
      update delivery set state = 'unknown'
      where installation_ref = (select max(installation_ref) from delivery)`;
    const lines = await readLines(response);
    assert.equal(lines.length, DELIVERIES);
    assert.equal(lines.at(-1)?.state, 'unknown');
  });

  it('hold no connection for readers that went away, nor for those that do not read', async () => {
    const idle: IncomingMessage[] = [];
    const { connections } = network.config.database;
    for (let reader = 0; reader < connections * 2; reader += 1) {
      const response = await open();
      await once(response, 'readable');
      if (reader % 2 === 0) response.destroy();
      else idle.push(response);
    }
    assert.equal((await readLines(await open())).length, DELIVERIES);
    for (const response of idle) response.destroy();
  });

  async function open(): Promise<IncomingMessage> {
    const request = get(`${network.url}/v1/notifications/${notificationId}/deliveries`, {
      headers: { authorization: `Bearer ${network.app.secretKey}` },
      agent: false,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // A reader that goes away ends with an error of its own making.
    response.on('error', () => {});
    assert.equal(response.statusCode, 200);
    return response;
  }
});

/** Gives the one notification of a network so many deliveries to further installations. */
async function fill({ homing: { db } }: Network, deliveries: number): Promise<void> {
  await db`
    with made as (
      insert into installation (app_ref, id)
      select app_ref, gen_random_uuid() from app, generate_series(1, ${deliveries}::integer)
      returning installation_ref
    )
    insert into delivery (day, notification_ref, installation_ref, state, provider, provider_id,
      attempts, sent_at, settled_at)
    select n.day, n.notification_ref, made.installation_ref, 'accepted', 'apns',
      gen_random_uuid()::text, 1, now(), now()
    from made, notification n`;
}

async function readLines(response: IncomingMessage): Promise<readonly Line[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
