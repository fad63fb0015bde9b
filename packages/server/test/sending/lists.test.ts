import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { assertConserved } from '../../../../test/conservation.ts';
import { fcmToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { acceptedPushes, tokens, tokensReached } from '../../../../test/pushes.ts';
import { expandWalk } from '../../src/sending/expand-walk.ts';
import { leaseFrom } from '../store/lease-from.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { uploadAudience, type AudienceUpload } from '../http/audience-upload.ts';
import { textOf } from '../http/text-of.ts';
import { Crew } from './crew.ts';

const content = { title: 'Hello {{ name | default: "you" }}' };
const DAY_MS = 86_400_000;
/** A failure bound. */
const PATIENCE_MS = 5_000;

/** Uploads a list to the crew's own app. */
function upload(crew: Crew, list: AudienceUpload): Promise<Answer> {
  return uploadAudience(crew.network.url, crew.app.secretKey, list);
}

const GZIP = { 'content-encoding': 'gzip' };

function ndjson(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

async function listOf(crew: Crew, lines: readonly unknown[]): Promise<string> {
  const answer = await upload(crew, { body: ndjson(lines) });
  assertAnswered(answer, 201);
  return textOf(answer.body['id']);
}

/** One step of the only walk that there is. */
async function takeStep(network: Network): Promise<'further' | 'done'> {
  const { db } = network.homing;
  const chunks = await leaseFrom(network, 'bulk', 8);
  const walk = chunks.find(({ cursor }) => cursor !== null);
  assert(walk !== undefined, 'there is a walk');
  await expandWalk(db, walk, network.clock.now());
  const left = await db`select 1 from chunk where cursor is not null`;
  return left.length > 0 ? 'further' : 'done';
}

describe('an uploaded list', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network[Symbol.asyncDispose]());

  const rowsLeft = async (): Promise<unknown> => {
    await network.homing.maintenance.run();
    return network.homing.db`
      select (select count(*) from audience) as lists,
        (select count(*) from audience_member) as members`;
  };

  it('reaches users where they are signed in, and the installations that it names', async () => {
    const crew = await Crew.gather(network, []);
    const [annas, pad, named, others] = [fcmToken(), fcmToken(), fcmToken(), fcmToken()];
    await crew.enrol(annas, 'anna');
    await crew.enrol(pad, 'anna');
    const device = await crew.enrol(named);
    await crew.enrol(others, 'ben');
    const left = await crew.enrol(fcmToken(), 'maria');
    assertAnswered(await left.signOut(), 204);
    const list = await listOf(crew, [
      { user: 'anna', variables: { name: 'Anna' } },
      { user: 'maria' },
      { user: 'a stranger' },
      { installation: device.id, variables: { name: 'there' } },
      { installation: randomUUID() },
    ]);
    const before = network.journal.counters.received;
    const body = { audience: { list }, content };
    const dry = await crew.backEnd.request('POST', '/v1/notifications/validate', body);
    assert.deepEqual(dry.body['recipients'], { 'fcm/unknown': 3 });
    assert.equal(dry.body['user_bound'], true);
    let id = '';
    const reached = await tokensReached(network, async () => {
      id = await crew.backEnd.send(body);
    });
    assert.deepEqual(reached, tokens(annas, pad, named));
    const said = acceptedPushes(network.journal, before).map((push) =>
      /Hello \w+/.exec(JSON.stringify(push.body))?.at(0),
    );
    assert.equal(said.filter((words) => words === 'Hello Anna').length, 2);
    assert.equal(said.filter((words) => words === 'Hello there').length, 1);
    const report = await crew.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['user_bound'], true);
    assert.equal(report['counts']?.['expected'], 3);
    const deliveries = await crew.backEnd.deliveries(id);
    const users = deliveries.map((one) => one['user_id'] as unknown as string | null);
    assert.equal(users.filter((user) => user === 'anna').length, 2);
    assert.equal(users.filter((user) => user === null).length, 1);
  });

  it('reaches a device once that it names itself and through its user', async () => {
    const crew = await Crew.gather(network, []);
    const token = fcmToken();
    const device = await crew.enrol(token, 'anna');
    const list = await listOf(crew, [{ installation: device.id }, { user: 'anna' }]);
    const send = () => crew.backEnd.send({ audience: { list }, content });
    assert.deepEqual(await tokensReached(network, send), [token.value]);
  });

  it('reaches who signs in after the upload', async () => {
    const crew = await Crew.gather(network, []);
    const list = await listOf(crew, [{ user: 'later' }]);
    const token = fcmToken();
    await crew.enrol(token, 'later');
    const send = () => crew.backEnd.send({ audience: { list }, content });
    assert.deepEqual(await tokensReached(network, send), [token.value]);
  });

  it('reaches a device once at most whose listed user signs in while it is walked', async () => {
    await using still = await startNetwork({ role: 'api' });
    const crew = await Crew.gather(still, []);
    const device = await crew.enrol(fcmToken());
    // One step of the walk is full of users, all of them before Anna in the order of the list.
    const users = Array.from({ length: 9_999 }, (_, index) => ({ user: `a-${index}` }));
    const list = await listOf(crew, [{ installation: device.id }, { user: 'anna' }, ...users]);
    await crew.backEnd.send({ audience: { list }, content });
    assert.equal(await takeStep(still), 'further');
    assertAnswered(await device.signIn('anna'), 200);
    assert.equal(await takeStep(still), 'done');
    const made = await still.homing.db`select installation_refs from chunk`;
    assert.ok(made.length <= 1, `it is reached ${made.length} times`);
  });

  it('counts nobody twice, and heeds what it says last', async () => {
    const crew = await Crew.gather(network, []);
    const token = fcmToken();
    const device = await crew.enrol(token);
    const line = { installation: device.id };
    const body = ndjson([
      { ...line, variables: { name: 'x' } },
      { user: 'a' },
      line,
      { user: 'a' },
    ]);
    const answer = await upload(crew, { body });
    assert.deepEqual(answer.body, { id: answer.body['id'], members: 2 });
  });

  it('comes as a stream, packed or not, with any ends of lines', async () => {
    const crew = await Crew.gather(network, []);
    const lines = Array.from({ length: 12_000 }, (_, index) => ({ user: `user-${index}` }));
    const bytes = Buffer.from(ndjson(lines));
    const forms: readonly AudienceUpload[] = [
      { body: bytes },
      { body: gzipSync(bytes), headers: GZIP },
      { body: streamOf(bytes, 7_001) },
      { body: streamOf(gzipSync(bytes), 113), headers: GZIP },
      { body: `\r\n${bytes.toString().replaceAll('\n', '\r\n').trimEnd()}` },
    ];
    for (const form of forms) {
      const answer = await upload(crew, form);
      assertAnswered(answer, 201);
      assert.equal(answer.body['members'], 12_000);
    }
  });

  it('is all or nothing: one bad line in 100,000 is named by its number', async () => {
    const before = await rowsLeft();
    const crew = await Crew.gather(network, []);
    const lines = Array.from({ length: 100_000 }, (_, index) => `{"user":"user-${index}"}`);
    lines[77_776] = '{"user":42}';
    const answer = await upload(crew, { body: gzipSync(lines.join('\n')), headers: GZIP });
    assertProblem(answer, 'validation_failed', '/lines/77777/user');
    assert.deepEqual(await rowsLeft(), before);
  });

  it('is refused with the first twenty of its bad lines', async () => {
    const crew = await Crew.gather(network, []);
    const wrong: Readonly<Record<string, string>> = {
      '{"user":"anna"': '',
      '{"user":"null"}': '/user',
      '{"installation":"42"}': '/installation',
      '{"user":"anna","installation":"42"}': '',
      '{}': '',
      '["anna"]': '',
      '"anna"': '',
      '{"user":"anna","variables":[]}': '/variables',
      '{"user":"anna","name":"Anna"}': '/name',
      '{"user":"anna","user":"ben"}': '',
      '{"user":"\\ud800"}': '',
    };
    const body = Object.keys(wrong).join('\n');
    const answer = await upload(crew, { body });
    assertProblem(answer, 'validation_failed');
    assert.deepEqual(
      pointersOf(answer),
      Object.values(wrong).map((tail, index) => `/lines/${index + 1}${tail}`),
    );
    const many = await upload(crew, { body: 'x\n'.repeat(50_000) });
    assertProblem(many, 'validation_failed');
    assert.equal(pointersOf(many).length, 20);
    const long = await upload(crew, {
      body: ndjson([{ user: 'anna' }, { user: 'x'.repeat(20_000) }]),
    });
    assertProblem(long, 'validation_failed', '/lines/2');
    const empty = await upload(crew, { body: '\n\n' });
    assertProblem(empty, 'validation_failed', '');
  });

  it('is refused when it breaks off, or is not packed as it says', async () => {
    const before = await rowsLeft();
    const crew = await Crew.gather(network, []);
    const lines = Array.from({ length: 20_000 }, () => ({ user: randomUUID() }));
    const packed = gzipSync(ndjson(lines));
    const middle = Math.floor(packed.length / 2);
    const half = packed.subarray(0, middle);
    assertProblem(await upload(crew, { body: half, headers: GZIP }), 'invalid_request');
    assertProblem(await upload(crew, { body: ndjson(lines), headers: GZIP }), 'invalid_request');
    const damaged = Buffer.from(packed);
    damaged.fill(0, middle, middle + 100);
    // What it unpacks to before that is found out may be bad lines already.
    const answer = await upload(crew, { body: damaged, headers: GZIP });
    assert.ok([400, 422].includes(answer.status), JSON.stringify(answer.body));
    const brotli = { 'content-encoding': 'br' };
    assertProblem(await upload(crew, { body: 'x', headers: brotli }), 'unsupported_media_type');
    const json = { 'content-type': 'application/json' };
    assertProblem(await upload(crew, { body: '{}', headers: json }), 'unsupported_media_type');
    const broken = new ReadableStream({
      pull(controller) {
        if (lines.length > 0) controller.enqueue(Buffer.from(ndjson(lines.splice(0, 10_000))));
        else controller.error(new Error('the line is cut'));
      },
    });
    await assert.rejects(upload(crew, { body: broken }));
    // Nobody tells the client when the server has noticed that the line was cut.
    const deadline = performance.now() + PATIENCE_MS;
    let left = await rowsLeft();
    while (!isDeepStrictEqual(left, before) && performance.now() < deadline)
      left = await rowsLeft();
    assert.deepEqual(left, before);
  });

  it('is refused beyond a million lines, and those that say nothing count', async () => {
    const crew = await Crew.gather(network, []);
    const body = `{"user":"anna"}${'\n'.repeat(1_000_001)}`;
    assertProblem(await upload(crew, { body }), 'body_too_large');
  });

  it('says how many it names, and how long it is kept', async () => {
    const crew = await Crew.gather(network, []);
    const lines = [{ user: 'anna', variables: { a: 1 } }, { user: 'ben' }];
    const id = await listOf(crew, [...lines, { installation: randomUUID() }]);
    const answer = await crew.backEnd.get(`/v1/audiences/${id}`);
    assertAnswered(answer, 200);
    const { created_at: createdAt, kept_until: keptUntil, ...rest } = answer.body;
    assert.deepEqual(rest, { id, users: 2, installations: 1, has_variables: true });
    const keptMs = Date.parse(textOf(keptUntil)) - Date.parse(textOf(createdAt));
    assert.equal(keptMs, 30 * DAY_MS);
  });

  it('is uploaded once for an idempotency key, packed or not', async () => {
    const crew = await Crew.gather(network, []);
    const headers = { 'idempotency-key': randomUUID() };
    const body = ndjson([{ user: 'anna' }, { user: 'ben' }]);
    const first = await upload(crew, { body, headers });
    const again = await upload(crew, { body: gzipSync(body), headers: { ...headers, ...GZIP } });
    assertAnswered(again, 201);
    assert.deepEqual(again.body, first.body);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    const other = await upload(crew, { body: ndjson([{ user: 'anna' }]), headers });
    assertProblem(other, 'idempotency_mismatch');
  });

  it('is not found where it is unknown, or of another app', async () => {
    const [crew, stranger] = [await Crew.gather(network, []), await Crew.gather(network, [])];
    const foreign = await listOf(stranger, [{ user: 'anna' }]);
    for (const list of [foreign, `aud_${randomUUID().replaceAll('-', '')}`, 'aud_1', '42']) {
      for (const path of ['/v1/notifications', '/v1/notifications/validate']) {
        const answer = await crew.backEnd.request('POST', path, { audience: { list }, content });
        assertProblem(answer, 'not_found');
      }
    }
  });

  it('loses a user who is erased, and is named in the export of one who is not', async () => {
    const crew = await Crew.gather(network, []);
    await crew.enrol(fcmToken(), 'anna');
    await crew.enrol(fcmToken(), 'ben');
    const lines = ['anna', 'ben'].map((user) => ({ user, variables: { name: user } }));
    const list = await listOf(crew, lines);
    const exported = await crew.backEnd.get('/v1/users/anna/export');
    assert.equal(exported.body['lists']?.['0']?.['id'], list);
    assert.deepEqual(exported.body['lists']?.['0']?.['variables'], { name: 'anna' });
    assertAnswered(await crew.backEnd.request('DELETE', '/v1/users/anna'), 204);
    const fresh = await crew.enrol(fcmToken());
    await network.clock.advance(2_000);
    assertAnswered(await fresh.signIn('anna'), 200);
    const id = await crew.backEnd.send({ audience: { list }, content });
    await network.drain();
    const deliveries = await crew.backEnd.deliveries(id);
    assert.deepEqual(
      deliveries.map((one) => one['user_id']),
      ['ben'],
    );
    const [kept] = await network.homing.db`
      select count(*) as members from audience_member where id = 'anna' and audience_ref = (
        select max(audience_ref) from audience)`;
    assert.equal(kept?.['members'], 0);
  });

  it('is explained by the same list', async () => {
    const crew = await Crew.gather(network, []);
    await crew.enrol(null, 'anna');
    await crew.enrol(fcmToken(), 'ben');
    const list = await listOf(crew, [{ user: 'anna' }]);
    const id = await crew.backEnd.send({ audience: { list }, content });
    await network.drain();
    const sentence = async (user: string): Promise<unknown> => {
      const answer = await crew.backEnd.get(`/v1/notifications/${id}/explain?user_id=${user}`);
      return answer.body['installations']?.['0']?.['sentence'];
    };
    assert.equal(await sentence('anna'), 'Not sent: the device has no token.');
    assert.equal(await sentence('ben'), 'The device does not belong to the audience.');
  });

  it('is kept for thirty days after something that uses it expires', async () => {
    const kept = await startNetwork();
    await using _ = kept;
    const crew = await Crew.gather(kept, []);
    const [used, unused] = [
      await listOf(crew, [{ user: 'a' }]),
      await listOf(crew, [{ user: 'b' }]),
    ];
    const send = (list: string) =>
      crew.backEnd.request('POST', '/v1/notifications', { audience: { list }, content });
    await kept.clock.advance(20 * DAY_MS);
    assertAnswered(await send(used), 202);
    await kept.clock.advance(11 * DAY_MS);
    await kept.homing.maintenance.run();
    assertProblem(await send(unused), 'not_found');
    assertAnswered(await send(used), 202);
    await kept.clock.advance(32 * DAY_MS);
    await kept.homing.maintenance.run();
    assertProblem(await send(used), 'not_found');
    const [rows] = await kept.homing.db`
      select (select count(*) from audience) + (select count(*) from audience_member) as kept`;
    assert.equal(rows?.['kept'], 0);
  });
});

function pointersOf(answer: Answer): readonly string[] {
  const errors = answer.body['errors'] as unknown as readonly { readonly pointer: string }[];
  return errors.map(({ pointer }) => pointer);
}

function streamOf(bytes: Buffer, size: number): ReadableStream {
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(from, from + size));
      from += size;
    },
  });
}
