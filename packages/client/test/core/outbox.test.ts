import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Disk } from '../../../../test/client/disk.ts';
import { PhoneSystem } from '../../../../test/client/phone-system.ts';
import { VirtualTime } from '../../../../test/client/virtual-time.ts';
import { createPushClient } from '../../src/core/create-push-client.ts';
import type { ClientAnswer, ClientRequest } from '../../src/core/ports.ts';
import type { PushClient } from '../../src/core/push-client.ts';

/**
 * Random histories of one phone: what its app wants, kills of the process, and a network that loses
 * requests and answers. The server takes everything; what has to hold, holds for what the phone
 * sends and keeps.
 */
const wishes = fc.oneof(
  fc.record({
    kind: fc.constantFrom('login', 'logout'),
    user: fc.constantFrom<string[]>('anna', 'ben', 'cleo'),
  }),
  fc.record({ kind: fc.constantFrom('refresh', 'tags'), number: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constantFrom('kill', 'pass', 'pause', 'wake', 'push') }),
  fc.record({
    kind: fc.constant('network'),
    fate: fc.constantFrom('good', 'good', 'down', 'deaf', 'slow'),
  }),
);
type Wish = typeof wishes extends fc.Arbitrary<infer T> ? T : never;
type Fate = Extract<Wish, { fate: unknown }>['fate'];

/** What a request says, as far as the rules speak of it. */
interface Sent {
  readonly id: string;
  readonly kind: 'state' | 'logout' | 'other';
  readonly seq: number;
  /** The body without proofs. */
  readonly state: string;
  readonly users: readonly string[];
  readonly wasAnswered: boolean;
  /** Users whose logout was asked for, and not answered, when it left. */
  readonly leaving: readonly string[];
  readonly nameable: readonly string[];
}

class Story {
  readonly disk = new Disk();
  readonly time = new VirtualTime(1_800_000_000_000);
  readonly system = new PhoneSystem({ provider: 'fcm', value: 'TOKEN-0' });
  readonly sent: Sent[] = [];
  readonly #accounts: 'one' | 'several';
  #fate: Fate = 'good';
  #leaving: readonly string[] = [];
  /** Whose logout is not kept yet for sure, and may be on its way already. */
  #departing: readonly string[] = [];
  #wanted: readonly string[] = [];
  #nameable: readonly string[] = [];
  #process: { readonly client: PushClient; isAlive: boolean };

  constructor(accounts: 'one' | 'several') {
    this.#accounts = accounts;
    this.#process = this.#launch();
  }

  async play(wish: Wish): Promise<void> {
    const { client } = this.#process;
    switch (wish.kind) {
      case 'login': {
        const isKnown = this.#wanted.includes(wish.user);
        const others = this.#accounts === 'one' && !isKnown ? [] : this.#wanted;
        // Until it is kept, either of two users may be named.
        this.#nameable = [...this.#wanted, wish.user];
        await client.login(wish.user, { assertion: async (id) => `PROOF ${id}` });
        this.#wanted = isKnown ? this.#wanted : [...others, wish.user];
        this.#nameable = this.#wanted;
        return undefined;
      }
      case 'logout': {
        const users = this.#accounts === 'one' ? this.#wanted : [wish.user];
        this.#departing = this.#wanted.filter((one) => users.includes(one));
        await client.logout(this.#accounts === 'one' ? undefined : wish.user);
        this.#leaving = [...this.#leaving, ...this.#departing];
        this.#departing = [];
        this.#wanted = this.#wanted.filter((one) => !users.includes(one));
        this.#nameable = this.#wanted;
        return undefined;
      }
      case 'refresh':
        return this.system.refresh({ provider: 'fcm', value: `TOKEN-${wish.number}` });
      case 'tags':
        return client.setDeviceTags({ step: String(wish.number) });
      case 'kill':
        return this.#restart();
      case 'pass':
        return this.time.advance(40_000, quiet);
      case 'pause':
        return quiet();
      case 'wake':
        return client.wake();
      case 'push':
        await client.displayed({ id: 'ntf_1' });
        return undefined;
      case 'network':
        this.#fate = wish.fate;
        return undefined;
    }
  }

  async end(): Promise<void> {
    this.#fate = 'good';
    this.#process.client.wake();
    await this.time.advance(20 * 60_000, quiet);
    const { registered, users } = await this.#process.client.status();
    assert.equal(registered, true);
    assert.deepEqual(users, this.#wanted);
    await this.#process.client[Symbol.asyncDispose]();
  }

  async #restart(): Promise<void> {
    this.#process.isAlive = false;
    await this.#process.client[Symbol.asyncDispose]();
    this.#process = this.#launch();
    await this.#process.client.start();
    for (const user of this.#wanted) await this.play({ kind: 'login', user });
  }

  #launch(): { readonly client: PushClient; isAlive: boolean } {
    const state = { isAlive: true };
    const client = createPushClient(
      { key: 'hmg_pk_test', sdkVersion: '0.1.0', accounts: this.#accounts },
      {
        platform: this.system,
        store: this.disk.open(() => state.isAlive),
        transport: async (request) => (state.isAlive ? this.#answer(request) : null),
        time: this.time,
        cryptography: {
          randomBytes: (count) => randomBytes(count),
          sha256: async (bytes) => hash('sha256', bytes, 'buffer'),
        },
        exclusive: this.disk.exclusive,
      },
    );
    return Object.assign(state, { client });
  }

  async #answer(request: ClientRequest): Promise<ClientAnswer | null> {
    const wasAnswered = this.#fate === 'good';
    const sent = {
      ...toSent(request),
      wasAnswered,
      leaving: this.#leaving,
      nameable: this.#nameable,
    };
    this.sent.push(sent);
    if (this.#fate === 'slow') return new Promise(() => {});
    if (!wasAnswered) return null;
    if (sent.kind === 'logout') {
      const left = this.#accounts === 'one' ? null : /users\/(\w+)/.exec(request.path)?.[1];
      const isThere = (user: string): boolean => typeof left === 'string' && user !== left;
      this.#leaving = this.#leaving.filter(isThere);
      this.#departing = this.#departing.filter(isThere);
      return answer(204, '');
    }
    const users = sent.users.map((id) => ({ id }));
    const installation = this.#accounts === 'one' ? { user: users[0] ?? null } : { users };
    return answer(200, JSON.stringify({ applied: true, reason: {}, installation, stored: 1 }));
  }
}

/** Nothing here waits for the world outside, so that one turn of the loop is enough. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function answer(status: number, body: string): ClientAnswer {
  return { status, body, header: () => null };
}

function toSent({
  method,
  path,
  body,
}: ClientRequest): Pick<Sent, 'id' | 'kind' | 'seq' | 'state' | 'users'> {
  const id = path.split('/')[3] ?? '';
  if (method === 'DELETE') {
    const seq = Number(/seq=(\d+)/.exec(path)?.[1]);
    return { id, kind: 'logout', seq, state: path, users: [] };
  }
  if (method !== 'PUT') return { id, kind: 'other', seq: 0, state: '', users: [] };
  const { seq, user, users, ...rest } = JSON.parse(body ?? '') as {
    readonly seq: number;
    readonly user?: { readonly id: string } | null;
    readonly users?: readonly { readonly id: string }[];
  };
  const ids = (users ?? (user ? [user] : [])).map((one) => one.id);
  return { id, kind: 'state', seq, state: JSON.stringify({ ...rest, ids }), users: ids };
}

function check(sent: readonly Sent[]): void {
  const states = new Map<number, string>();
  let highest = 0;
  for (const { kind, seq, state, users, leaving, nameable } of sent) {
    if (kind === 'other') continue;
    assert.equal(states.get(seq) ?? state, state, `another content under seq ${seq}`);
    assert.ok(states.has(seq) || seq > highest, `seq ${seq} after ${highest}`);
    states.set(seq, state);
    highest = Math.max(highest, seq);
    if (kind === 'logout') continue;
    assert.deepEqual(leaving, [], 'a state went out before a logout');
    for (const user of users) assert.ok(nameable.includes(user), `${user} is not signed in`);
  }
}

test('what a phone sends keeps its order, whatever is lost and whenever it dies', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<('one' | 'several')[]>('one', 'several'),
      fc.array(wishes, { minLength: 5, maxLength: 40 }),
      async (accounts, history) => {
        const story = new Story(accounts);
        for (const wish of history) {
          await story.play(wish);
          assert.ok(!story.disk.text?.includes('TOKEN-'), 'a token is never kept');
        }
        await story.end();
        check(story.sent);
      },
    ),
    { numRuns: 300 },
  );
});
