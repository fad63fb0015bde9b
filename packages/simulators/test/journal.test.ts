import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createJournal } from '../src/index.ts';
import type { Entry } from '../src/index.ts';
import { TOPIC, connectTo, deviceToken, push, pushTo, startApns } from './apns-client.ts';

const WAIT = { timeoutMs: 5000 };

describe('a journal', () => {
  it('records what came and what was answered, without the credential', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    const reply = await pushTo(client, token);
    const [entry] = simulator.journal.entries({ provider: 'apns', token });
    assert.ok(entry);
    assert.deepEqual(
      [entry.sequence, entry.connectionId, entry.streamId, entry.method, entry.environment],
      [1, 1, 1, 'POST', 'production'],
    );
    assert.equal(entry.providerId, reply.headers['apns-id']);
    assert.deepEqual(entry.answer, { status: 200, reason: null });
    assert.equal(entry.headers['apns-topic'], TOPIC);
    assert.equal(entry.headers.authorization, undefined);
    assert.match(String(entry.credential), /^[0-9a-f]{16}$/);
  });

  it('forgets the oldest entries beyond its capacity, but counts on', async () => {
    await using journal = createJournal({ capacity: 3 });
    await using simulator = await startApns({ journal });
    await using client = await connectTo(simulator);
    for (let count = 0; count < 5; count += 1) await push(client);
    await pushTo(client, deviceToken('dead0410'));
    assert.deepEqual(
      journal.entries().map(({ sequence }) => sequence),
      [4, 5, 6],
    );
    assert.deepEqual(journal.counters, {
      received: 6,
      accepted: 5,
      byAnswer: { '200': 5, '410 Unregistered': 1 },
    });
  });

  it('keeps counters alone with a capacity of 0', async () => {
    await using journal = createJournal({ capacity: 0 });
    await using simulator = await startApns({ journal });
    await using client = await connectTo(simulator);
    await push(client);
    assert.deepEqual([journal.entries(), journal.counters.received], [[], 1]);
  });

  it('waits for an entry, past ones included, and gives up at the deadline', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    const coming = simulator.journal.waitFor((entry) => entry.token === token, WAIT);
    await pushTo(client, token);
    assert.equal((await coming).token, token);
    const past = await simulator.journal.waitFor((entry) => entry.token === token, WAIT);
    assert.equal(past.sequence, 1);
    await assert.rejects(
      simulator.journal.waitFor(() => false, { timeoutMs: 1 }),
      /within 1 ms/,
    );
  });

  it('tells an observer and appends to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'homing-journal-'));
    const file = join(folder, 'journal.ndjson');
    const observed: Entry[] = [];
    const journal = createJournal({ file, onEntry: (entry) => observed.push(entry) });
    await using simulator = await startApns({ journal });
    await using client = await connectTo(simulator);
    await push(client);
    await push(client);
    await journal[Symbol.asyncDispose]();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      observed,
    );
    await rm(folder, { recursive: true });
  });
});
