import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createApp, createLogger, rewrapSecrets, type RewrapProgress } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { acceptedPushes } from '../../../../test/pushes.ts';
import { addCredential } from '../../src/credentials/add-credential.ts';
import { createVault } from '../../src/credentials/sealing.ts';
import { SEALED_COLUMNS } from '../../src/store/sealed-values.ts';
import { inTransaction } from '../../src/store/transaction.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { homing, config, masterKey: oldKey, clock } = network;
const newKey = randomBytes(32);
const logger = createLogger('silent');

/** A server that stands beside the network's own, with other master keys. */
function serverWith(masterKey: Buffer, otherMasterKeys: readonly Buffer[] = []) {
  const overrides = { clock: clock.now, logger };
  return createApp(config, { masterKey, otherMasterKeys }, overrides);
}

async function rewrapWith(
  masterKey: Buffer,
  otherMasterKeys: readonly Buffer[],
): Promise<readonly RewrapProgress[]> {
  return Array.fromAsync(rewrapSecrets(config, { masterKey, otherMasterKeys }));
}

test('everything that the schema calls sealed is known to a rewrap', async () => {
  const rows = await homing.db<{ name: string }[]>`
    select table_name || '.' || column_name as name from information_schema.columns
    where table_schema = 'public' and column_name like 'sealed%'`;
  assert.deepEqual(
    SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).toSorted(),
    rows.map(({ name }) => name).toSorted(),
  );
});

test('a nonce and an erasure from before a new master key count after it', async () => {
  await using next = serverWith(newKey, [oldKey]);
  const url = (await next.start()) ?? '';
  const token = fcmToken();
  const [holder, claimant] = [network.device(), network.device()];
  assertAnswered(await holder.register(token, 'anna'), 201);
  const held = await claimant.register(token);
  assertAnswered(held, 409);
  const takeover = held.body['nonce'];
  const moved = await claimant.at(() => url).sync({ seq: claimant.seq, token, takeover });
  assertAnswered(moved, 201);

  const phone = network.device();
  const assertion = await phone.assertion('ben');
  await network.clock.advance(2_000);
  assertAnswered(await network.backEnd.request('DELETE', '/v1/users/ben'), 204);
  const late = phone.at(() => url);
  const refused = await late.sync({ token: fcmToken(), user: { id: 'ben', assertion } });
  assertAnswered(refused, 401);
});

test('a rewrap that was ended is gone on with, and servers send all the while', async () => {
  await fillWithCredentials(150);
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken(), 'sara'), 201);
  await sendOne(network.backEnd);

  const first: RewrapProgress[] = [];
  for await (const progress of rewrapSecrets(config, {
    masterKey: newKey,
    otherMasterKeys: [oldKey],
  })) {
    first.push(progress);
    if (progress.done >= 100) break;
  }
  const [{ total } = { total: 0 }] = first;
  assert.ok(total > 150);

  await using both = serverWith(newKey, [oldKey]);
  const url = (await both.start()) ?? '';
  await sendOne(new BackEnd(url, network.app.secretKey));

  const second = await rewrapWith(newKey, [oldKey]);
  assert.equal(second[0]?.total, total - (first.at(-1)?.done ?? 0));
  assert.deepEqual(second.at(-1)?.unopened, []);
  assert.equal(second.at(-1)?.left, 0);
});

test('after a rewrap the former master key is needed no more', async () => {
  await using next = serverWith(newKey);
  const url = (await next.start()) ?? '';
  await homing.dispatcher?.[Symbol.asyncDispose]();
  const before = acceptedPushes(network.journal).length;
  await new BackEnd(url, network.app.secretKey).sendToUsers(['sara']);
  await next.dispatcher?.drain();
  assert.equal(acceptedPushes(network.journal).length, before + 1);
  // The identity key was sealed as well: a user signs in by it.
  const phone = network.device().at(() => url);
  assertAnswered(await phone.register(fcmToken(), 'anna'), 201);
});

test('what no known master key opens is named, counted and left as it was', async () => {
  const stranger = randomBytes(32);
  const progress = (await rewrapWith(stranger, [oldKey])).at(-1);
  assert.ok(progress !== undefined && progress.total > 0);
  assert.equal(progress.left, progress.total);
  assert.equal(progress.unopened.length, progress.total);
  for (const line of progress.unopened) assert.match(line, /^(credential|identity_key) \d+: /);
  assert.equal((await rewrapWith(newKey, [])).at(-1)?.left, 0);
});

test('a sealed value that was moved to another row or app does not open there', async () => {
  const vault = createVault(newKey);
  const sealed = vault.seal(Buffer.from('secret'), { app: '1', kind: 'credential', row: 'a' });
  const elsewhere = [
    { app: '2', kind: 'credential', row: 'a' },
    { app: '1', kind: 'credential', row: 'b' },
    { app: '1', kind: 'identity_key', row: 'a' },
  ] as const;
  for (const context of elsewhere) {
    assert.throws(() => vault.open(sealed, context), /does not belong to this row/);
  }
  await using next = serverWith(newKey);
  const url = (await next.start()) ?? '';
  await network.provision();
  const { db } = homing;
  await db`
    update credential k set sealed_secret = (
      select sealed_secret from credential other
      where other.provider = 'fcm' and other.retired_at is null
        and other.app_ref <> k.app_ref limit 1)
    where provider = 'fcm' and credential_ref = (
      select min(credential_ref) from credential where provider = 'fcm')`;
  const backEnd = new BackEnd(url, network.app.secretKey);
  const list = (await backEnd.get('/v1/app/credentials?limit=500')).body['data'];
  const cards = list as unknown as readonly { readonly id: string; readonly provider: string }[];
  const moved = cards.findLast(({ provider }) => provider === 'fcm');
  const answer = await backEnd.request('POST', `/v1/app/credentials/${moved?.id}/verify`);
  assert.equal(answer.body['verified'], false);
  assert.equal(answer.body['findings']?.[0]?.['code'], 'sealed_otherwise');
});

async function sendOne(backEnd: BackEnd): Promise<void> {
  const before = network.journal.counters.received;
  await backEnd.sendToUsers(['sara']);
  await network.journal.waitFor(() => acceptedPushes(network.journal, before).length === 1, {
    timeoutMs: 30_000,
  });
}

/** Credentials of another topic, so that they serve nobody. */
async function fillWithCredentials(count: number): Promise<void> {
  await inTransaction(homing.db, async (tx) => {
    const [app] = await tx<{ ref: number }[]>`select min(app_ref) as ref from app`;
    for (let made = 0; made < count; made += 1) {
      await addCredential(tx, homing.vault, {
        appRef: app?.ref ?? 0,
        provider: 'apns',
        project: 'FILLING001',
        environments: ['sandbox'],
        topics: ['com.acme.filling'],
        settings: {},
        secret: { privateKeyPem: `filling ${made}` },
      });
    }
  });
}
