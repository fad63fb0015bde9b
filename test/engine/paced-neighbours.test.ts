// What has a pace of its own is slow on purpose, and in nobody's way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../packages/server/src/domain/limits.ts';
import { gatherCrowd } from '../anonymous-crowd.ts';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { enrolCrowd } from '../crowd.ts';
import { apnsToken, Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { startSecondServer } from '../second-server.ts';

const PROMPT_MS = 10_000;
const CHUNK = 50;
/** One more of the same notification is enough. */
const BEGUN = LIMITS.pacedChunks - 1;

async function sendPaced(
  { backEnd }: Network,
  perSecond: number,
  lane: 'bulk' | 'transactional' = 'bulk',
): Promise<string> {
  return backEnd.send({
    audience: { everyone: true },
    content: { title: 'The summer sale has begun' },
    options: { pace: { per_second: perSecond }, lane },
  });
}

/** Chunks of paced notifications to everyone, as an expansion leaves them, and none of a walk. */
async function line(
  network: Network,
  { notifications, chunks, perSecond }: Readonly<Record<string, number>>,
): Promise<void> {
  assert(notifications !== undefined && chunks !== undefined && perSecond !== undefined);
  for (let sent = 0; sent < notifications; sent += 1) await sendPaced(network, perSecond);
  await network.homing.db`
    with walk as (delete from chunk where cursor is not null returning *)
    insert into chunk (app_ref, notification_ref, day, lane, credential_ref, installation_refs,
      user_refs, turn, available_at)
    select walk.app_ref, notification_ref, day, lane, credential.credential_ref, array(
        select installation_ref from installation
        order by 1 offset number * ${CHUNK}::int limit ${CHUNK}::int),
      array_fill(0::bigint, array[${CHUNK}::int]), turn + number, available_at
    from walk cross join generate_series(0, ${chunks - 1}::int) as number
      join credential on credential.app_ref = walk.app_ref and credential.provider = 'fcm'`;
}

function startWorker({ config, masterKey, clock }: Network): Promise<AsyncDisposable> {
  return startSecondServer({ config: { ...config, role: 'worker' }, masterKey, clock });
}

for (const lane of ['bulk', 'transactional'] as const) {
  test(`a slow campaign holds up nothing else of its app that is ${lane}`, async () => {
    await using network = await startNetwork();
    const { journal, backEnd } = network;
    const crowd = { count: 4_000, tokenEvery: 1, name: 'crowd' };
    await gatherCrowd(network.homing.db, network.app.id, crowd);
    const id = await sendPaced(network, 5, lane);
    // By then several of its chunks wait.
    await journal.waitFor(({ sequence }) => sequence > 10, { timeoutMs: PROMPT_MS });
    const [anna] = await enrolCrowd(network, 1, { provider: 'fcm', name: 'anna' });
    assert(anna !== undefined, 'she came too late for the campaign');
    await backEnd.sendToUsers([anna.user], undefined, { options: { lane } });
    await journal.waitFor(({ token }) => token === anna.token, { timeoutMs: PROMPT_MS });
    assertAnswered(await backEnd.request('POST', `/v1/notifications/${id}/cancel`), 200);
  });
}

/** Another app sends in bulk, when a worker holds all of the campaigns that it will. */
async function sendBeside(network: Network): Promise<void> {
  const other = await network.provision();
  const phone = new Device(network.url, other, network.issuer);
  const token = apnsToken();
  assertAnswered(await phone.register(token, 'anna'), 201);
  await using _ = await startWorker(network);
  await network.journal.waitFor(({ sequence }) => sequence > 60, { timeoutMs: PROMPT_MS });
  await new BackEnd(network.url, other.secretKey).sendToUsers(['anna'], undefined, {
    options: { lane: 'bulk' },
  });
  await network.journal.waitFor((push) => push.token === token.value, { timeoutMs: PROMPT_MS });
  await network.homing.db`delete from chunk`;
}

test('what dead workers left of slow campaigns keeps no other app waiting', async () => {
  await using network = await startNetwork({ role: 'api' });
  const { db } = network.homing;
  await gatherCrowd(db, network.app.id, { count: 1_000, tokenEvery: 1, name: 'crowd' });
  await line(network, { notifications: 5, chunks: 16, perSecond: 3 });
  await db`
    update chunk set gated_through = 1, attempt = 1, lease_owner = 'the dead',
      lease_until = clock_timestamp() - interval '1 s'`;
  await sendBeside(network);
});

test('slow campaigns keep no other app waiting, however many there are', async () => {
  await using network = await startNetwork({ role: 'api' });
  const crowd = { count: 1_000, tokenEvery: 1, name: 'crowd' };
  await gatherCrowd(network.homing.db, network.app.id, crowd);
  await line(network, { notifications: 40, chunks: 4, perSecond: 1 });
  await sendBeside(network);
});

test('a retry of a paced notification stands in front of what is left of it', async () => {
  await using network = await startNetwork({ role: 'api' });
  const { db } = network.homing;
  await gatherCrowd(db, network.app.id, { count: 6_000, tokenEvery: 1, name: 'crowd' });
  await line(network, { notifications: 1, chunks: 100, perSecond: CHUNK });
  await db`
    update chunk set gated_through = 1, attempt = 1, lease_owner = 'a living one',
      lease_until = clock_timestamp() + interval '1 hour'
    where turn < ${BEGUN}::int`;
  const [retry] = await db<{ chunk_ref: number; token: string }[]>`
    with last as (select * from installation order by installation_ref desc limit 1)
    insert into chunk (app_ref, notification_ref, day, lane, credential_ref, installation_refs,
      user_refs, turn, available_at, retry)
    select c.app_ref, notification_ref, day, lane, credential_ref, array[last.installation_ref],
      '{0}', ${BEGUN}::int, available_at, true
    from chunk c cross join last where turn = ${BEGUN}::int
    returning chunk_ref, (select token from last) as token`;
  assert(retry !== undefined);
  await using _ = await startWorker(network);
  await network.journal.waitFor(({ token }) => token === retry.token, { timeoutMs: PROMPT_MS });
  await db`delete from chunk`;
});
