import { isDeepStrictEqual } from 'node:util';
import type { Ground } from './ground.ts';
import {
  describeOperation,
  type AccountMode,
  type DeadSince,
  type Operation,
} from './operation.ts';
import { plainReply, replyInWords } from './observed.ts';
import type { Push } from './postman.ts';
import { apply, emptyRegistry, hold, own, type Registry, type Reply } from './registry.ts';
import { sightInWords, sightsOf } from './sight.ts';
import { Stage } from './stage.ts';

/** Product and model differ, or a push went where it must not; the message tells the history. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What happened on one stage so far, on the real server and in the model, held together. */
export class History {
  readonly #ground: Ground;
  readonly #accountMode: AccountMode;
  readonly #stage: Stage;
  readonly #lines: string[] = [];
  /** Every tag that was ever due at a token: what goes out by itself may be older. */
  readonly #tags = new Set<string>();
  #registry: Registry;

  constructor(ground: Ground, accountMode: AccountMode) {
    this.#ground = ground;
    this.#accountMode = accountMode;
    this.#stage = new Stage(ground, accountMode);
    this.#registry = emptyRegistry(accountMode);
  }

  get registry(): Registry {
    return this.#registry;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Performs an operation in both worlds, and fails when they answer differently. */
  async step(operation: Exclude<Operation, { kind: 'dead' }>): Promise<Reply> {
    const line = describeOperation(operation);
    this.#lines.push(line);
    const observed = await this.#stage.perform(operation);
    const reply = this.#apply(operation);
    this.#lines[this.#lines.length - 1] = `${line}: ${replyInWords(observed.reply)}`;
    if (reply.kind === 'token_held' && observed.nonce !== null) {
      this.#stage.learn(reply.nonce, observed.nonce);
    }
    if (!isDeepStrictEqual(plainReply(reply), observed.reply)) {
      throw this.violation(`by the rules the answer is: ${replyInWords(plainReply(reply))}`);
    }
    return reply;
  }

  /** Has the provider call a token dead, in answer to a push for whoever owns it. */
  async die(token: string, since: DeadSince): Promise<void> {
    const [owner] = own(this.#registry, token);
    if (owner === undefined) return;
    const told = token.startsWith('A') ? since : 'untold';
    const operation = { kind: 'dead', token, since: told } as const;
    this.#lines.push(describeOperation(operation));
    using _ = this.#stage.kill(token, told);
    await this.#post([owner]);
    this.checkPushes([]);
    this.#apply(operation);
  }

  /** Fails unless the API shows exactly the model's registry. */
  async compare(): Promise<void> {
    const shown = await this.#stage.observe();
    const expected = sightsOf(this.#registry);
    for (const name of new Set([...shown.keys(), ...expected.keys()])) {
      if (isDeepStrictEqual(shown.get(name), expected.get(name))) continue;
      const [seen, due] = [shown, expected].map((sights) => sightInWords(sights.get(name)));
      throw this.violation(`the API shows ${name} with ${seen};\n    by the rules it has ${due}`);
    }
  }

  /** Sends to some users, and fails unless exactly the devices that are theirs are reached. */
  async send(users: readonly string[]): Promise<void> {
    this.#lines.push(`the back end sends to ${users.join(' and ')}`);
    await this.#post(users);
    this.checkPushes(users);
  }

  /**
   * Looks at what reached this history's tokens after a send to some users: no push for anybody but
   * the owner, none missing, and none at all for those who are named as gone.
   */
  checkPushes(users: readonly string[], gone: readonly string[] = []): void {
    for (const [name, token] of this.#stage.tokens) {
      const owners = own(this.#registry, name);
      const ownerOf = new Map(owners.map((owner) => [this.#tagAt(name, owner), owner]));
      const missed = new Set(owners.filter((owner) => users.includes(owner)));
      for (const push of this.#ground.postman.collect(token.value)) {
        const { rcpt, isOfRound } = push;
        const owner = ownerOf.get(rcpt ?? '');
        const isDue = isOfRound ? owner !== undefined : this.#tags.has(`${rcpt} ${name}`);
        if (!isDue || owners.some((one) => gone.includes(one))) {
          throw this.violation(`a push for ${this.#addressee(push)} went to ${name}: a LEAK`);
        }
        if (isOfRound && owner !== undefined) missed.delete(owner);
      }
      for (const owner of missed) throw this.violation(`no push for ${owner} went to ${name}`);
    }
  }

  /** The failure with everything that led to it. */
  violation(what: string): Violation {
    const lines = this.#lines.map((line, index) => `  ${index + 1}. ${line}`);
    return new Violation(['', ...lines, `  ⇒ ${what}`].join('\n'));
  }

  async #post(users: readonly string[]): Promise<void> {
    const app = this.#ground.apps[this.#accountMode];
    const ids = users.map((user) => this.#stage.userId(user));
    await this.#ground.postman.send(app, ids);
  }

  #apply(operation: Operation): Reply {
    const { registry, reply } = apply(this.#registry, operation, 0);
    this.#registry = registry;
    for (const token of this.#stage.tokens.keys()) {
      for (const owner of own(registry, token)) {
        this.#tags.add(`${this.#tagAt(token, owner)} ${token}`);
      }
    }
    return reply;
  }

  /** The addressee tag that the holder of a token computes for a user. */
  #tagAt(token: string, user: string): string {
    const holder = hold(this.#registry, token);
    const installation = holder === null ? undefined : this.#registry.installations.get(holder);
    return this.#stage.tag(installation?.secret ?? null, user);
  }

  #addressee({ rcpt }: Push): string {
    if (rcpt === null) return 'nobody in particular';
    return this.#stage.addressee(rcpt) ?? 'somebody of another history';
  }
}
