import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assertAnswered } from '../answered.ts';
import { fcmToken } from '../device.ts';
import { kotlinIsMissing } from '../kotlin-command.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes, tokens, tokensReached } from '../pushes.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { startRelay } from '../storm/relay.ts';
import { codeNames, readTable } from '../tidy/markdown-table.ts';
import { codeOf, readGuide } from './guide.ts';
import { startKotlinPhone, type KotlinPhone } from './kotlin-phone.ts';

const SURROUNDINGS = fileURLToPath(new URL('kotlin/', import.meta.url));
const guide = readGuide('kotlin.md');
const run = promisify(execFile);
/** Of the random run; a start of the app among them takes the longest. */
const STEPS = 60;
const ACTIONS = ['login', 'login', 'logout', 'network', 'network', 'token', 'kill'] as const;

/** What is not as usual when the app starts. */
interface Surroundings {
  /** What the app's back end answers in place of an assertion. */
  readonly says?: 'not now' | 'session ended';
  readonly homingUrl?: string;
}

interface Installation {
  readonly id: string;
  readonly status: string;
  readonly user: { readonly id: string } | null;
}

describe('the Kotlin of kotlin.md', { skip: kotlinIsMissing() }, () => {
  let directory = '';
  let jar = '';
  let network: Network;
  let phones = 0;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'homing-guide-'));
    jar = await compile(directory);
    network = await startNetwork();
  });
  after(async () => {
    await network?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** Storage of a phone on which the app was never started. */
  async function newStorage(): Promise<string> {
    phones += 1;
    return mkdtemp(join(directory, `phone-${phones}-`));
  }

  /** Starts a process of the app, whose user may be notified and whose back end answers. */
  async function start(
    storage: string,
    token: string,
    { says, homingUrl = network.url }: Surroundings = {},
  ): Promise<KotlinPhone> {
    const { app, issuer } = network;
    const phone = await startKotlinPhone({
      jar,
      storage,
      homingUrl,
      homingKey: app.publishableKey,
      prove: async (userId, installationId) =>
        says ?? (await issuer.sign(app.id, userId, { installationId })),
    });
    await phone.tell('permit yes');
    await phone.tell(`token ${token}`);
    return phone;
  }

  /** A phone on which a user has signed in, with the network there. */
  async function signedIn(userId: string, token: string) {
    const storage = await newStorage();
    const phone = await start(storage, token);
    await phone.tell(`login ${userId}`);
    assert.deepEqual(await phone.tell('network'), ['success']);
    return { storage, phone };
  }

  async function holderOf(token: string): Promise<Installation | null> {
    const query = new URLSearchParams({ token });
    const answer = await network.backEnd.get(`/v1/installations?${query.toString()}`);
    const [installation] = answer.body['data'] as unknown as readonly Installation[];
    return installation ?? null;
  }

  /** What a phone with the token would get by one push to each user, as the app gets it. */
  async function messagesTo(
    token: string,
    ...users: readonly string[]
  ): Promise<readonly string[]> {
    const mark = network.journal.counters.received;
    for (const user of users) {
      await network.backEnd.sendToUsers([user], { title: `News for ${user}`, url: `shop:${user}` });
    }
    await network.drain();
    const pushes = acceptedPushes(network.journal, mark).filter((push) => push.token === token);
    return pushes.map(dataOf);
  }

  const reached = (userId: string) =>
    tokensReached(network, () => network.backEnd.sendToUsers([userId]));

  test('computes the addressee tags that the guide prints', async () => {
    await using phone = await start(await newStorage(), fcmToken().value);
    for (const row of readTable(guide.text, 'installation secret') ?? []) {
      const [secret = '', userId = '', tag] = row.flatMap(codeNames);
      assert.deepEqual(await phone.tell(`tag ${secret} ${userId}`), [tag]);
    }
  });

  test('registers without a permission, and names no token then', async () => {
    const token = fcmToken().value;
    await using phone = await start(await newStorage(), token);
    await phone.tell('permit no');
    assert.deepEqual(await phone.tell('network'), ['success']);
    assert.equal(await holderOf(token), null);
    await phone.tell('permit yes');
    await phone.tell(`token ${token}`);
    assert.deepEqual(await phone.tell('network'), ['success']);
    assert.equal((await holderOf(token))?.status, 'signed_out');
  });

  test('signs a user in, shows what is for her, and says so', async () => {
    const token = fcmToken();
    const { phone } = await signedIn('anna', token.value);
    await using _ = phone;
    const [message = ''] = await messagesTo(token.value, 'anna');
    assert.deepEqual(await phone.tell(`message ${message}`), ['shown News for anna']);
    assert.deepEqual(await phone.tell(`tap ${message}`), ['opened shop:anna']);
    const { body } = await network.backEnd.get('/v1/users/anna/export');
    const receipts = body['receipts'] as unknown as readonly { readonly kind: string }[];
    assert.ok(receipts.some(({ kind }) => kind === 'displayed'));
  });

  test('a logout without a network shows nothing any more, and outlives the process', async () => {
    const token = fcmToken();
    const { storage, phone } = await signedIn('sara', token.value);
    await phone.tell('logout');
    const messages = await messagesTo(token.value, 'sara');
    assert.equal(messages.length, 1, 'the server does not know yet');
    for (const message of messages) {
      assert.deepEqual(await phone.tell(`message ${message}`), []);
      assert.deepEqual(await phone.tell(`tap ${message}`), ['opened the app']);
    }
    await phone[Symbol.asyncDispose]();

    await using next = await start(storage, token.value);
    assert.deepEqual(await next.tell(`message ${messages[0] ?? ''}`), []);
    assert.deepEqual(await next.tell('network'), ['success']);
    assert.equal((await holderOf(token.value))?.user, null);
    assert.deepEqual(await reached('sara'), []);
  });

  test('who logs out and in again without a network stays on the same installation', async () => {
    const token = fcmToken();
    const { phone } = await signedIn('gina', token.value);
    await using _ = phone;
    const before = await holderOf(token.value);
    await phone.tell('logout');
    await phone.tell('login gina');
    assert.deepEqual(await phone.tell('network'), ['success']);
    assert.deepEqual(await reached('gina'), tokens(token));
    assert.equal((await holderOf(token.value))?.id, before?.id);
  });

  test('a switch without a network shows nothing of the former user', async () => {
    const token = fcmToken();
    const { storage, phone } = await signedIn('maria', token.value);
    const [message = ''] = await messagesTo(token.value, 'maria');
    await phone.tell('login alex');
    assert.deepEqual(await phone.tell(`message ${message}`), []);
    await phone[Symbol.asyncDispose]();

    await using next = await start(storage, token.value);
    assert.deepEqual(await next.tell('network'), ['success']);
    const [forAlex = '', ...others] = await messagesTo(token.value, 'maria', 'alex');
    assert.deepEqual(others, []);
    assert.deepEqual(await next.tell(`message ${forAlex}`), ['shown News for alex']);
  });

  test('a switch whose proof does not come ends the former sign-in all the same', async () => {
    const token = fcmToken();
    const { storage, phone } = await signedIn('maria', token.value);
    await phone[Symbol.asyncDispose]();
    await using next = await start(storage, token.value, { says: 'not now' });
    await next.tell('login alex');
    assert.deepEqual(await next.tell('network'), ['retry']);
    assert.equal((await holderOf(token.value))?.user, null);
  });

  test('a user whom the server has signed out comes back by a new proof', async () => {
    const token = fcmToken();
    const { phone } = await signedIn('ben', token.value);
    await using _ = phone;
    assertAnswered(await network.backEnd.request('POST', '/v1/users/ben/revoke', {}), 200);
    assert.deepEqual(await reached('ben'), []);
    network.clock.advance(2_000);
    await phone.tell(`token ${token.value}`);
    assert.deepEqual(await phone.tell('network'), ['success']);
    assert.deepEqual(await reached('ben'), tokens(token));
  });

  test('a session that has ended is a logout', async () => {
    const token = fcmToken();
    const { storage, phone } = await signedIn('ben', token.value);
    await phone[Symbol.asyncDispose]();
    assertAnswered(await network.backEnd.request('POST', '/v1/users/ben/revoke', {}), 200);
    await using next = await start(storage, token.value, { says: 'session ended' });
    assert.deepEqual(await next.tell('network'), ['success']);
    assert.equal((await holderOf(token.value))?.user, null);
  });

  test('an installation that was removed enrols anew, with its user', async () => {
    const token = fcmToken();
    const { phone } = await signedIn('sara', token.value);
    await using _ = phone;
    const before = await holderOf(token.value);
    const path = `/v1/installations/${before?.id ?? ''}`;
    assertAnswered(await network.backEnd.request('DELETE', path), 204);
    await phone.tell(`token ${token.value}`);
    assert.deepEqual(await phone.tell('network'), ['success']);
    const after = await holderOf(token.value);
    assert.notEqual(after?.id, before?.id);
    assert.deepEqual(await reached('sara'), tokens(token));
  });

  test('a new installation on the same phone takes the token over', async () => {
    const token = fcmToken();
    const { phone } = await signedIn('anna', token.value);
    await phone[Symbol.asyncDispose]();
    await using fresh = await start(await newStorage(), token.value);
    assert.deepEqual(await fresh.tell('network'), ['success']);
    assert.equal((await holderOf(token.value))?.user, null);
    assert.ok(!(await reached('anna')).includes(token.value));
  });

  test('what cannot be said waits for the next process', async () => {
    const token = fcmToken();
    const storage = await newStorage();
    await using phone = await start(storage, token.value, { homingUrl: 'http://127.0.0.1:9' });
    await phone.tell('login alex');
    assert.deepEqual(await phone.tell('network'), ['retry']);
    await phone[Symbol.asyncDispose]();
    await using next = await start(storage, token.value);
    assert.deepEqual(await next.tell('network'), ['success']);
    assert.equal((await holderOf(token.value))?.user?.id, 'alex');
  });

  test('a phone that was restored from another one is an installation of its own', async () => {
    const [one, other] = [fcmToken(), fcmToken()];
    const { storage, phone } = await signedIn('cleo', one.value);
    await using _ = phone;
    const copy = await newStorage();
    // The key does not leave the Keystore.
    await cp(join(storage, 'homing'), join(copy, 'homing'));
    await using restored = await start(copy, other.value);
    await restored.tell('login cleo');
    assert.deepEqual(await restored.tell('network'), ['success']);
    assert.deepEqual(await reached('cleo'), tokens(one, other));
  });

  test('two copies that share their secret part when they contradict each other', async () => {
    const [one, other] = [fcmToken(), fcmToken()];
    const { storage, phone } = await signedIn('dora', one.value);
    await using _ = phone;
    const copy = await newStorage();
    await cp(storage, copy, { recursive: true });
    await using second = await start(copy, other.value);
    for (const each of [second, phone, second]) {
      await each.tell(`token ${each === phone ? one.value : other.value}`);
      assert.deepEqual(await each.tell('network'), ['success']);
    }
    assert.notEqual((await holderOf(one.value))?.id, (await holderOf(other.value))?.id);
    assert.deepEqual(await reached('dora'), tokens(one, other));
  });

  test('on a bad network nothing is shown to whoever is not addressed', async (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    const weather = { longestDelayMs: 30, resets: 0.3, duplicates: 0.3 };
    await using relay = await startRelay({ weather, random, target: () => network.url });
    const users = ['eve', 'finn'];
    const storage = await newStorage();
    let token = fcmToken();
    const restart = () => start(storage, token.value, { homingUrl: relay.url });
    let phone = await restart();
    t.after(() => phone[Symbol.asyncDispose]());
    let current: string | null = null;
    const sent: string[] = [];
    const shown = new Set<string>();
    const installations = new Set<string>();
    for (let step = 0; step < STEPS; step += 1) {
      switch (random.pick(ACTIONS)) {
        case 'login':
          current = random.pick(users);
          await phone.tell(`login ${current}`);
          break;
        case 'logout':
          current = null;
          await phone.tell('logout');
          break;
        case 'network':
          await phone.tell('network');
          break;
        case 'token':
          token = fcmToken();
          await phone.tell(`token ${token.value}`);
          break;
        case 'kill':
          await phone[Symbol.asyncDispose]();
          phone = await restart();
      }
      const holder = await holderOf(token.value);
      if (holder !== null) installations.add(holder.id);
      const now = await messagesTo(token.value, ...users);
      sent.push(...now);
      // A provider gives out late what it had stored.
      const late = sent.length === 0 ? [] : [random.pick(sent)];
      for (const message of [...now, ...late]) {
        for (const line of await phone.tell(`message ${message}`)) {
          assert.equal(line, `shown News for ${current}`, `step ${step}`);
          shown.add(line);
        }
      }
    }
    await relay.calm();
    for (let round = 0; round < 5; round += 1) await phone.tell('network');
    assert.equal((await holderOf(token.value))?.user?.id ?? null, current);
    assert.equal((await messagesTo(token.value, ...users)).length, current === null ? 0 : 1);
    assert.ok(shown.size > 0, 'the run has shown nothing at all');
    assert.equal(installations.size, 1, 'nothing of this is a reason to enrol anew');
    assert.ok(relay.counts.resets > 0 && relay.counts.duplicates > 0);
  });

  test('in a strict app the nonce that comes as a push is echoed', async () => {
    const strict = await network.backEnd.request('PATCH', '/v1/app', { takeover: 'challenge' });
    assertAnswered(strict, 200);
    const token = fcmToken();
    const { phone } = await signedIn('maria', token.value);
    await phone[Symbol.asyncDispose]();
    await using fresh = await start(await newStorage(), token.value);
    await fresh.tell('login maria');
    const mark = network.journal.counters.received;
    assert.deepEqual(await fresh.tell('network'), ['retry']);
    await network.drain();
    const [probe] = acceptedPushes(network.journal, mark);
    assert.ok(probe !== undefined);
    assert.deepEqual(await fresh.tell(`message ${dataOf(probe)}`), []);
    assert.equal((await holderOf(token.value))?.user?.id, 'maria');
    assert.deepEqual(await fresh.tell('network'), ['success']);
  });
});

/** All of the guide's blocks in one program, with what stands for Android beside it. */
async function compile(directory: string): Promise<string> {
  const files = codeOf(guide, 'kotlin').map((code, index) => ({
    path: join(directory, `guide-${index}.kt`),
    code,
  }));
  for (const { path, code } of files) await writeFile(path, code);
  const jar = join(directory, 'app.jar');
  const sources = [...files.map(({ path }) => path), SURROUNDINGS];
  await run('kotlinc', [...sources, '-nowarn', '-include-runtime', '-d', jar]);
  return jar;
}

/** What `RemoteMessage.data` holds, as JSON. */
function dataOf({ body }: { readonly body: unknown }): string {
  const { message } = body as { readonly message: { readonly data: unknown } };
  return JSON.stringify(message.data);
}
