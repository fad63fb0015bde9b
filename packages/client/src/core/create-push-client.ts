import { addresseeTag } from './addressee-tag.ts';
import { readAnswer } from './answer.ts';
import { requireTags, requireTopic, requireUserId } from './argument.ts';
import { createEmitter } from './emitter.ts';
import {
  addReceipt,
  setDeviceTags,
  setTags,
  setUnsubscribed,
  signIn,
  signOut,
  wantTopic,
} from './intent.ts';
import { tokenOf, withoutOldCheckIn } from './live.ts';
import type { Memory } from './memory.ts';
import { createMemoryStore, type UpdateMemory } from './memory-store.ts';
import type { Permission, Ports } from './ports.ts';
import type {
  ClientError,
  PushClient,
  PushEnvelope,
  PushStatus,
  ReceiptKind,
  SelfCheck,
  Verdict,
} from './push-client.ts';
import type { PushClientOptions, UserProof } from './push-client-options.ts';
import { clearScreen } from './screen.ts';
import { compare } from './self-check.ts';
import { TokenWatch } from './token-watch.ts';
import { Transmitter, type Voucher } from './transmitter.ts';

/** A client for one installation; dispose it, or its timers and listeners stay. */
export function createPushClient(options: PushClientOptions, ports: Ports): PushClient {
  return new CorePushClient(options, ports);
}

const MAX_USERS = 20;

class CorePushClient implements PushClient {
  readonly #ports: Ports;
  readonly #options: Required<PushClientOptions>;
  readonly #update: UpdateMemory;
  readonly #emitter = createEmitter();
  readonly #transmitter: Transmitter;
  readonly #watch: TokenWatch;
  readonly #stopListening: () => void;
  #lastError: ClientError | null = null;
  readonly on: PushClient['on'] = this.#emitter.on;

  constructor(options: PushClientOptions, ports: Ports) {
    this.#ports = ports;
    this.#options = { accounts: 'one', development: false, ...options };
    this.#update = createMemoryStore(ports.store, ports.cryptography);
    const { emit, on } = this.#emitter;
    on('error', (error) => {
      this.#lastError = error;
    });
    on('token_error', ({ code, detail }) => {
      const at = new Date(ports.time.now());
      this.#lastError = { code: 'token_error', detail: `${code} ${detail}`, at };
    });
    this.#transmitter = new Transmitter(ports, this.#update, this.#options, emit);
    const { development } = this.#options;
    this.#watch = new TokenWatch(ports, this.#update, this.#transmitter, emit, development);
    this.#stopListening = ports.store.onChange(() => this.#transmitter.poke(false));
  }

  async start(): Promise<void> {
    const { isScreenStale } = await this.#read();
    if (isScreenStale) await this.#clearScreen();
    await this.#watch.start();
  }

  async subscribe(): Promise<Permission> {
    const { platform } = this.#ports;
    await this.#want((memory) => setUnsubscribed(memory, false));
    const held = await platform.permission();
    if (held === 'default') await platform.requestPermission();
    return this.#watch.look();
  }

  async unsubscribe(): Promise<void> {
    await this.#want((memory) => setUnsubscribed(memory, true));
    await this.#watch.drop();
  }

  async login(userId: string, proof: UserProof): Promise<void> {
    requireUserId(userId);
    const { accounts } = this.#options;
    const [before, after] = await this.#change((memory) => {
      const next = signIn(memory, userId, accounts);
      if (next.users.length > MAX_USERS) throw new TypeError('userId');
      return next;
    });
    this.#transmitter.vouch(userId, toVoucher(proof));
    const others = before.users.filter(({ id }) => after.users.every((user) => user.id !== id));
    if (others.length > 0) {
      this.#transmitter.interrupt();
      await this.#clearScreen();
    }
    this.#transmitter.poke(true);
  }

  async logout(userId: string | null = null): Promise<void> {
    await this.#change((memory) => signOut(memory, userId));
    this.#transmitter.interrupt();
    await this.#clearScreen();
    this.#transmitter.poke(true);
  }

  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    requireTags(tags);
    await this.#want((memory) => setTags(memory, tags));
  }

  async setDeviceTags(tags: Readonly<Record<string, string>>): Promise<void> {
    requireTags(tags);
    await this.#want((memory) => setDeviceTags(memory, tags));
  }

  async subscribeTopic(topic: string, scope: 'device' | 'user' = 'device'): Promise<void> {
    requireTopic(topic);
    await this.#want((memory) => {
      const userId = scope === 'user' ? (memory.users.at(-1)?.id ?? null) : null;
      if (scope === 'user' && userId === null) throw new TypeError('scope');
      return wantTopic(memory, topic, true, userId);
    });
  }

  async unsubscribeTopic(topic: string): Promise<void> {
    requireTopic(topic);
    await this.#want((memory) => wantTopic(memory, topic, false, null));
  }

  async received(envelope: PushEnvelope): Promise<Verdict> {
    const { challenge } = envelope;
    if (challenge !== undefined) {
      this.#transmitter.learn({ takeover: challenge });
      await this.#watch.look();
      this.#transmitter.poke(true);
      return 'withhold';
    }
    return (await this.#witness(envelope, 'displayed')) ? 'show' : 'withhold';
  }

  opened(envelope: PushEnvelope): Promise<boolean> {
    return this.#witness(envelope, 'opened');
  }

  async dismissed(envelope: PushEnvelope): Promise<void> {
    await this.#witness(envelope, 'dismissed');
  }

  async status(): Promise<PushStatus> {
    const { live } = this.#transmitter;
    const { id, users, logouts, isUnsubscribed } = await this.#read();
    const token = tokenOf(live, isUnsubscribed);
    const named = { unchanged: 'failed', awaited: 'none' } as const;
    return {
      installationId: id,
      permission: live.permission ?? (await this.#ports.platform.permission()),
      token: typeof token === 'string' ? named[token] : token === null ? 'none' : 'present',
      registered: await this.#transmitter.isRegistered(),
      users: users.map((user) => user.id),
      logoutPending: logouts.length > 0,
      lastError: this.#lastError,
    };
  }

  async selfCheck(): Promise<SelfCheck | null> {
    const memory = await this.#read();
    const answer = readAnswer(await this.#transmitter.ask(memory));
    const { live } = this.#transmitter;
    return answer && compare(memory, live, answer, this.#ports.cryptography);
  }

  wake(): void {
    const { live } = this.#transmitter;
    this.#transmitter.learn(withoutOldCheckIn(live, this.#ports.time.now()));
    this.#watch.wake();
    this.#transmitter.poke(true);
  }

  async settled(): Promise<void> {
    const underWay = (): Promise<void> | null => this.#watch.running ?? this.#transmitter.running;
    for (let one = underWay(); one !== null; one = underWay()) await one;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    this.#watch[Symbol.dispose]();
    await this.#transmitter[Symbol.asyncDispose]();
  }

  #clearScreen(): Promise<void> {
    return clearScreen(this.#ports.platform, this.#update);
  }

  #read(): Promise<Memory> {
    return this.#update((memory) => [memory, memory]);
  }

  /** Keeps a change, and tells what was before. */
  #change(change: (memory: Memory) => Memory): Promise<readonly [before: Memory, after: Memory]> {
    return this.#update((memory) => {
      const next = change(memory);
      return [next, [memory, next]];
    });
  }

  /** Keeps a wish and has it sent. */
  async #want(change: (memory: Memory) => Memory): Promise<void> {
    await this.#change(change);
    this.#transmitter.poke(true);
  }

  /**
   * Rule R9: what names somebody is for nobody else. Whether they are here is looked at in the step
   * that keeps the receipt, so that a logout comes before the verdict or clears what it led to.
   */
  async #witness({ id, rcpt }: PushEnvelope, kind: ReceiptKind): Promise<boolean> {
    const addressees = rcpt === undefined ? null : await this.#addressees(rcpt);
    const concerns = ({ users }: Memory): boolean =>
      addressees === null || users.some((user) => addressees.includes(user.id));
    const at = new Date(this.#ports.time.now());
    const receipt = { notification_id: id, kind, at: at.toISOString() };
    try {
      const isConcerned = await this.#update((memory) => {
        const isConcerned = concerns(memory);
        const isReported = isConcerned && id.startsWith('ntf_');
        return [isReported ? addReceipt(memory, receipt) : memory, isConcerned];
      });
      if (isConcerned) this.#transmitter.poke(false);
      return isConcerned;
    } catch (error) {
      // That a receipt is lost is no reason to fail whoever shows the push.
      this.#emitter.emit('error', { code: 'storage', detail: String(error), at });
      return concerns(await this.#read());
    }
  }

  /** Who of those that are here has this tag. */
  async #addressees(rcpt: string): Promise<readonly string[]> {
    const memory = await this.#read();
    const { cryptography } = this.#ports;
    const ids = memory.users.map(({ id }) => id);
    const tags = await Promise.all(ids.map((id) => addresseeTag(cryptography, memory, id)));
    return ids.filter((_, index) => tags[index] === rcpt);
  }
}

/** Whoever vouches for a user, as one question with one answer. */
function toVoucher(proof: UserProof): Voucher {
  const { assertion, ...members } = proof as {
    readonly assertion?: (installationId: string) => Promise<string>;
    readonly signature?: string;
  };
  return async (installationId) => {
    if (assertion === undefined) return members;
    const text = await assertion(installationId);
    if (typeof text !== 'string' || text === '') throw new TypeError('assertion');
    return { assertion: text };
  };
}
