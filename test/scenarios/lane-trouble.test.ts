import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp, createLogger, LIMITS } from '@homing/server';
import { addCredential } from '../../packages/server/src/credentials/add-credential.ts';
import { recordStop } from '../../packages/server/src/credentials/record-stop.ts';
import { inTransaction } from '../../packages/server/src/store/transaction.ts';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, Device, fcmToken } from '../device.ts';
import { createServiceAccount } from '@homing/simulators';
import { PROJECT, startNetwork, type Network } from '../network.ts';

const REFUSED_KEY = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
const UNAVAILABLE = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;

test('a retry that is given back settles each of its deliveries once', async () => {
  await using network = await startNetwork();
  const [x, y] = [apnsToken(), apnsToken()];
  await network.device().register(x, 'sara');
  await network.device().register(y, 'sara');
  network.apns.faults.schedule({ times: 2, fault: UNAVAILABLE });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();

  // The second attempt: one phone is throttled, and the key is refused for the other.
  network.apns.devices.set(x.value, { kind: 'throttled' });
  network.apns.faults.schedule({ times: 1, match: { token: y.value }, fault: REFUSED_KEY });
  network.clock.advance(60_000);
  await network.drain();
  assertConserved(await network.backEnd.report(id));

  network.apns.devices.set(x.value, { kind: 'live' });
  await passTime(network, 30);

  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.equal(report['status'], 'finished');
  assert.equal(report['counts']?.['accepted'], 2);
  assert.equal(acceptedCount(network, x.value), 1);
  assert.equal(acceptedCount(network, y.value), 1);
});

test('a notification whose other phones are out of reach is unfinished while one is tried', async () => {
  await using network = await startNetwork();
  const [gone, tried] = [network.device(), network.device()];
  for (const phone of [gone, tried]) {
    const token = apnsToken();
    await phone.register(token, 'sara');
    network.apns.devices.set(token.value, { kind: 'throttled' });
  }
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  // One phone lets its token go, so that its retry ends while the other becomes a chunk.
  assertAnswered(await gone.sync({ token: null }), 200);
  network.clock.advance(120_000);
  await network.drain();
  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.notEqual(report['status'], 'finished');
  const cancelled = await network.backEnd.request('POST', `/v1/notifications/${id}/cancel`);
  assert.equal(cancelled.body['cancelled'], true);
  await network.drain();
  const ended = await network.backEnd.report(id);
  assertConserved(ended);
  assert.deepEqual(ended['reasons'], { skipped: { cancelled: 1, no_token: 1 } });
});

test('forty retries on a lane that opens and closes are neither lost nor doubled', async () => {
  await using network = await startNetwork();
  const tokens = Array.from({ length: 40 }, apnsToken);
  for (const token of tokens) await network.device().register(token, 'sara');
  network.apns.faults.schedule({ times: 40, fault: UNAVAILABLE });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  for (const { value: token } of tokens.slice(0, 10)) {
    network.apns.faults.schedule({ times: 1, match: { token }, fault: REFUSED_KEY });
  }
  for (const { value: token } of tokens.slice(10, 30)) {
    network.apns.faults.schedule({ times: 2, match: { token }, fault: UNAVAILABLE });
  }
  await passTime(network, 60);

  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.equal(report['status'], 'finished');
  assert.equal(report['counts']?.['accepted'], 40);
  for (const token of tokens) assert.equal(acceptedCount(network, token.value), 1);
});

test('a push that a dead worker may have sent stays marked while its lane is closed', async () => {
  await using network = await startNetwork();
  await network.device().register(apnsToken(), 'sara');
  network.apns.faults.schedule({ times: 1, fault: REFUSED_KEY });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  // What a worker leaves behind that was killed between the gate and the settlement.
  await network.homing.db`
    update chunk set gated_through = 1, attempt = attempt + 1, lease_owner = 'dead',
      lease_until = now() - interval '1 second',
      available_at = ${new Date(network.clock.now().getTime() - 1_000)}`;
  await network.drain();
  await passTime(network, 5);

  const [delivery] = await network.backEnd.deliveries(id);
  assert.equal(delivery?.['state'], 'accepted');
  assert.equal(delivery?.['possible_duplicate'], true);
  assert.equal((await network.backEnd.report(id))['possible_duplicates'], 1);
});

test('work on a credential that is refused expires, is cancelled, and moves to a good one', async () => {
  await using network = await startNetwork();
  const unknownToGoogle = await createServiceAccount(PROJECT, network.fcm.tokenUrl);
  const { token_uri: _, ...badFile } = unknownToGoogle.json;
  const app = await network.provision({ credentials: { fcm: { serviceAccount: badFile } } });
  await new Device(network.url, app, network.issuer).register(fcmToken(), 'sara');
  const backEnd = new BackEnd(network.url, app.secretKey);
  const short = await backEnd.sendToUsers(['sara'], undefined, { options: { ttl_seconds: 600 } });
  const [cancelled, patient] = [
    await backEnd.sendToUsers(['sara']),
    await backEnd.sendToUsers(['sara']),
  ];
  await network.drain();
  await backEnd.request('POST', `/v1/notifications/${cancelled}/cancel`);
  await network.drain();
  assert.equal((await backEnd.report(cancelled))['counts']?.['skipped'], 1);

  await passTime(network, 20);
  assert.equal((await backEnd.report(short))['counts']?.['expired'], 1);
  assert.equal((await backEnd.report(patient))['counts']?.['pending'], 1);

  await addGoodFcmKey(network);
  await passTime(network, 20);
  const report = await backEnd.report(patient);
  assert.equal(report['counts']?.['accepted'], 1);
  assertConserved(report);
});

test('work on a credential that was retired ends, also in a process that never opened it', async () => {
  await using network = await startNetwork();
  await network.device().register(apnsToken(), 'sara');
  network.apns.faults.schedule({ times: 1, fault: REFUSED_KEY });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  await network.homing.db`update credential set retired_at = now() where provider = 'apns'`;
  await network.homing.dispatcher?.[Symbol.asyncDispose]();
  await using next = createApp(
    network.config,
    { masterKey: network.masterKey },
    { clock: network.clock.now, logger: createLogger('silent') },
  );
  await next.start();
  network.clock.advance(120_000);
  await next.dispatcher?.drain();

  const report = await network.backEnd.report(id);
  assert.equal(report['status'], 'finished');
  assert.equal(report['reasons']?.['skipped']?.['no_credential'], 1);
});

test('a credential that works again is not recorded as stopped, also after a restart', async () => {
  await using network = await startNetwork();
  await network.device().register(apnsToken(), 'sara');
  network.apns.faults.schedule({ times: 1, fault: REFUSED_KEY });
  await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  assert.deepEqual(await stopReasons(network), ['InvalidProviderToken']);
  await network.homing.dispatcher?.[Symbol.asyncDispose]();
  await using next = createApp(
    network.config,
    { masterKey: network.masterKey },
    { clock: network.clock.now, logger: createLogger('silent') },
  );
  await next.start();
  network.clock.advance(120_000);
  await next.dispatcher?.drain();
  assert.deepEqual(await stopReasons(network), []);
});

/** Another process met a refusal that was over when this one sent. */
async function stopElsewhere(network: Network): Promise<void> {
  const { db } = network.homing;
  const [row] = await db<{ ref: number }[]>`
    select credential_ref as ref from credential where provider = 'apns'`;
  assert(
    await recordStop(
      db,
      { credentialRef: row?.ref ?? 0, host: null },
      'InvalidProviderToken',
      network.clock.now(),
    ),
  );
}

test('an acceptance ends a stop that another process recorded meanwhile', async () => {
  await using network = await startNetwork();
  await network.device().register(apnsToken(), 'sara');
  const send = async () => {
    await network.backEnd.sendToUsers(['sara']);
    await network.drain();
  };
  // The lane has told an acceptance already, and the stop comes after it.
  await send();
  await stopElsewhere(network);
  assert.deepEqual(await stopReasons(network), ['InvalidProviderToken']);
  await network.clock.advance(LIMITS.stopReviewMs + 1_000);
  await send();
  assert.deepEqual(await stopReasons(network), []);
  const alerts = await network.backEnd.get('/v1/alerts?open=true');
  assert.deepEqual(alerts.body['data'], []);
});

test('an acceptance that cannot be told loses no outcome, and is told by a later one', async () => {
  await using network = await startNetwork({ logger: createLogger('silent') });
  const { db } = network.homing;
  await network.device().register(apnsToken(), 'sara');
  await stopElsewhere(network);
  await db.unsafe(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'refused'; end $$;
    create trigger refuse before update of stopped_reason on credential
      for each row execute function refuse();`);
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.deepEqual([report['status'], report['counts']?.['accepted']], ['finished', 1]);
  assert.deepEqual(await stopReasons(network), ['InvalidProviderToken']);

  // It was not told, so the very next acceptance tells it: no minute has to pass.
  await db`drop trigger refuse on credential`;
  await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  assert.deepEqual(await stopReasons(network), []);
});

/** Lets minutes pass in steps that are shorter than any pause. */
async function passTime(network: Network, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    network.clock.advance(60_000);
    await network.drain();
  }
}

function acceptedCount(network: Network, token: string): number {
  return network.journal.entries({ token }).filter((entry) => entry.accepted).length;
}

async function stopReasons(network: Network): Promise<readonly string[]> {
  const rows = await network.homing.db<{ stopped_reason: string }[]>`
    select stopped_reason from credential where stopped_reason is not null`;
  return rows.map((row) => row.stopped_reason);
}

async function addGoodFcmKey(network: Network): Promise<void> {
  const account = await createServiceAccount(PROJECT, network.fcm.tokenUrl);
  const { clientEmail, privateKeyId, publicKeyPem } = account;
  const serviceAccounts = [{ clientEmail, privateKeyId, publicKeyPem }];
  network.fcm.addProject({ projectId: PROJECT, serviceAccounts });
  const { token_uri: _, ...serviceAccount } = account.json;
  const [app] = await network.homing.db<{ app_ref: number }[]>`
    select app_ref from app order by app_ref desc limit 1`;
  const appRef = app?.app_ref ?? 0;
  const open = {
    provider: 'fcm',
    project: PROJECT,
    environments: [],
    topics: [],
    settings: {},
  } as const;
  await inTransaction(network.homing.db, (tx) =>
    addCredential(tx, network.homing.vault, { ...open, appRef, secret: { serviceAccount } }),
  );
}
