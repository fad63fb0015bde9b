import assert from 'node:assert/strict';
import type { ProvisionedApp } from '@homing/server';
import type { Entry } from '@homing/simulators';
import type { Answer, AnswerBody } from '../answer.ts';
import { BackEnd } from '../back-end.ts';
import { apnsToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { addressOf, Phone, type PhoneStorage, type Token } from './phone.ts';

/** What must be true when all is quiet. */
export interface AtRest {
  /** Who owns each token; null for nobody, which a token without a holder also is. */
  readonly own?: readonly (readonly [Token, string | null])[];
  /** The tokens that a message for each user goes to, found out by sending one. */
  readonly recv?: Readonly<Record<string, readonly Token[]>>;
}

/** A token that changed hands, as the audit keeps it. */
export interface AuditedMove {
  readonly actor: string;
  readonly contested: boolean;
}

export interface Enrolled<T extends Token> {
  readonly phone: Phone;
  readonly token: T;
}

/** One scenario's own app on the servers of its file, with its phones and what can be observed. */
export class Scene {
  readonly network: Network;
  readonly app: ProvisionedApp;
  readonly backEnd: BackEnd;
  readonly #phones: Phone[] = [];
  #requests = 0;

  constructor(network: Network, app: ProvisionedApp) {
    this.network = network;
    this.app = app;
    this.backEnd = new BackEnd(() => this.nextServer(), app.secretKey);
  }

  /** The base URL for one request: the servers take turns, so that none knows all of a story. */
  nextServer(): string {
    const { url, servers } = this.network;
    const turn = this.#requests % (servers.length + 1);
    this.#requests += 1;
    return turn === 0 ? url : (servers[turn - 1]?.url ?? url);
  }

  /** The same servers, seen from another app. */
  async inAnotherApp(): Promise<Scene> {
    return new Scene(this.network, await this.network.provision());
  }

  /** A phone with a fresh installation, or with what was copied onto it. */
  phone(storage?: PhoneStorage): Phone {
    const { issuer, clock } = this.network;
    const { app } = this;
    const around = { app, issuer, now: clock.now, server: () => this.nextServer() };
    const phone = new Phone(around, storage);
    this.#phones.push(phone);
    return phone;
  }

  /** INIT-0: a phone that reported its token; nobody is signed in. */
  async enrolled(): Promise<Enrolled<ReturnType<typeof apnsToken>>>;
  async enrolled<T extends Token>(token: T): Promise<Enrolled<T>>;
  async enrolled(token: Token = apnsToken()): Promise<Enrolled<Token>> {
    const phone = this.phone();
    await answered(phone.token(token, 1)(), 201);
    return { phone, token };
  }

  /** INIT-A: the same phone after the user signed in under sequence 2. */
  async signedIn(userId: string): Promise<Enrolled<ReturnType<typeof apnsToken>>>;
  async signedIn<T extends Token>(userId: string, token: T): Promise<Enrolled<T>>;
  async signedIn(userId: string, token: Token = apnsToken()): Promise<Enrolled<Token>> {
    const enrolled = await this.enrolled(token);
    await answered(enrolled.phone.signIn(userId, 2)(), 200);
    return enrolled;
  }

  /** Time passes, so that what is signed from now on is newer than what was. */
  async later(ms = 2_000): Promise<void> {
    await this.network.clock.advance(ms);
  }

  /** `hold`: the installation that holds a token, as the back end sees it; null for none. */
  async hold(token: Token): Promise<AnswerBody | null> {
    const answer = await this.backEnd.get('/v1/installations?limit=500');
    assert.equal(answer.status, 200);
    const all = answer.body['data'] as unknown as readonly AnswerBody[];
    const masked = fingerprint({ value: addressOf(token) });
    const holders = all.filter(
      ({ token: held }) =>
        textIn(held, 'masked') === masked && textIn(held, 'status') !== 'retired',
    );
    assert.ok(holders.length <= 1, `rule R1: ${holders.length} installations hold one token`);
    return holders[0] ?? null;
  }

  /** `own`: the user of the installation that holds a token. */
  async own(token: Token): Promise<string | null> {
    return userIn(await this.hold(token));
  }

  /** The user who is signed in on an installation. */
  async userOf(phone: Phone): Promise<string | null> {
    return userIn(await this.backEnd.installation(phone.id));
  }

  /** `recv`: sends to a user and tells which tokens the providers were given, sorted. */
  async recv(userId: string): Promise<readonly string[]> {
    const pushes = await this.pushesBy(() => this.backEnd.sendToUsers([userId]));
    for (const push of pushes) this.assertAddressed(push, userId);
    return pushes.map((push) => push.token ?? '').toSorted();
  }

  /** The pushes that providers took because of an action, once its work is done. */
  async pushesBy(action: () => Promise<unknown>): Promise<readonly Entry[]> {
    const before = this.network.journal.counters.received;
    await action();
    await this.network.drain();
    return acceptedPushes(this.network.journal, before);
  }

  /** What the audit says of tokens that changed hands in this app, oldest first. */
  async auditedMoves(): Promise<readonly AuditedMove[]> {
    const appId = this.app.id.slice('app_'.length);
    return this.network.homing.db<AuditedMove[]>`
      select a.actor, coalesce((a.after->>'contested')::boolean, false) as contested
      from audit a join app using (app_ref)
      where app.id = ${appId}::uuid and a.after ? 'taken_from' order by a.audit_ref`;
  }

  /** Rule R9: the payload names this user, for one of the phones here, and nobody else. */
  assertAddressed(push: Entry, userId: string): void {
    const tags = this.#phones.map((phone) => phone.tagOf(userId));
    assert.ok(tags.includes(addressee(push) ?? ''), `the push is not tagged for ${userId}`);
  }

  async assertAtRest({ own = [], recv = {} }: AtRest): Promise<void> {
    for (const [token, owner] of own) {
      assert.equal(await this.own(token), owner, `owner of ${addressOf(token)}`);
    }
    for (const [user, reached] of Object.entries(recv)) {
      const expected = reached.map(addressOf).toSorted();
      assert.deepEqual(await this.recv(user), expected, `what a message for ${user} reached`);
    }
  }
}

/** The addressee tag in a push, on either provider. */
export function addressee(push: Entry): string | null {
  const body = push.body as {
    readonly homing?: { readonly rcpt?: string };
    readonly message?: { readonly data?: { readonly homing_rcpt?: string } };
  } | null;
  return body?.homing?.rcpt ?? body?.message?.data?.homing_rcpt ?? null;
}

/** An answer of the expected status; anything else fails the test with its body. */
export async function answered(pending: Promise<Answer>, status: number): Promise<Answer> {
  const answer = await pending;
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer;
}

/** A packet that came too late for its group: taken note of, and nothing changed. */
export async function superseded(pending: Promise<Answer>, group: string): Promise<void> {
  const answer = await answered(pending, 200);
  assert.equal(textIn(answer.body['reason'], group), 'superseded', JSON.stringify(answer.body));
}

function userIn(installation: AnswerBody | null): string | null {
  return textIn(installation?.['user'], 'id');
}

/** A text member of an object that may be missing. */
function textIn(body: unknown, member: string): string | null {
  const value = (body as Readonly<Record<string, unknown>> | null | undefined)?.[member];
  return typeof value === 'string' ? value : null;
}
