import { createHash, randomBytes, randomUUID } from 'node:crypto';
import assert from 'node:assert/strict';
import { fcmToken, apnsToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ProvisionedApp } from '@homing/server';
import type { DoorAnswer } from './door.ts';
import type { Ground } from './ground.ts';
import type {
  AccountMode,
  Assignment,
  Claim,
  DeadSince,
  Nonce,
  Operation,
  Packet,
} from './operation.ts';
import { DONE, observeRefusal, observeSync, type Observed } from './observed.ts';
import type { Sight } from './sight.ts';
import { signedClaims } from './signed-claims.ts';

/** The part of an installation's JSON that is looked at. */
interface Shown {
  readonly status: string;
  /** The one user that there can be, or all of them, as the app has it. */
  readonly user?: { readonly id: string } | null;
  readonly users?: readonly { readonly id: string }[];
  readonly token: { readonly masked: string; readonly status: string } | null;
  readonly seq: Sight['seq'];
}

type Token = ReturnType<typeof fcmToken> | ReturnType<typeof apnsToken>;

interface Phone {
  readonly id: string;
  readonly secret: string;
}

/** The longest life of an assertion, so that those of the recent past are good as well. */
const ASSERTION_SECONDS = 600;
/** Before any registration. */
const LONG_AGO_MS = Date.UTC(2020, 0, 1);

/**
 * One history's part of the world: real ids, secrets and tokens for the names in its operations,
 * which no other history uses, and the way from an operation to a request and from its answer back.
 */
export class Stage {
  readonly #ground: Ground;
  readonly #accountMode: AccountMode;
  readonly #app: ProvisionedApp;
  readonly #label = randomUUID();
  readonly #phones = new Map<string, Phone>();
  readonly #tokens = new Map<string, Token>();
  readonly #users = new Set<string>();
  readonly #nonces = new Map<string, string>();

  constructor(ground: Ground, accountMode: AccountMode) {
    this.#ground = ground;
    this.#accountMode = accountMode;
    this.#app = ground.apps[accountMode];
  }

  /** The customer's id of a user of this history. */
  userId(name: string): string {
    this.#users.add(name);
    return `${name}-${this.#label}`;
  }

  installationId(name: string): string {
    return this.#phone(name).id;
  }

  token(name: string): Token {
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const made = name.startsWith('A') ? apnsToken() : fcmToken();
    this.#tokens.set(name, made);
    return made;
  }

  get tokens(): ReadonlyMap<string, Token> {
    return this.#tokens;
  }

  /** Remembers which real nonce stands for one of the model. */
  learn(nonce: Nonce, real: string): void {
    this.#nonces.set(JSON.stringify(nonce), real);
  }

  /** What a device computes for itself: the digest of its secret and of its user. */
  tag(secret: string | null, user: string): string {
    const digest =
      secret === null
        ? Buffer.alloc(0)
        : createHash('sha256').update(this.#phone(secret).secret).digest();
    const input = Buffer.concat([Buffer.from('rcpt'), digest, Buffer.from(this.userId(user))]);
    return createHash('sha256').update(input).digest('base64url').slice(0, 22);
  }

  /**
   * Whom an addressee tag stands for on one of this history's installations; null when it is for
   * nobody.
   */
  addressee(rcpt: string): string | null {
    for (const user of this.#users) {
      for (const secret of [...this.#phones.keys(), null]) {
        if (this.tag(secret, user) === rcpt) return user;
      }
    }
    return null;
  }

  /** The provider refuses pushes to a token from now on, until this is disposed. */
  kill(name: string, since: DeadSince): Disposable {
    const { apns, fcm, clock } = this.#ground.network;
    const { value } = this.token(name);
    // The clock moves by two milliseconds before the next push.
    const atMs = since === 'just_now' ? clock.now().getTime() + 1 : LONG_AGO_MS;
    if (since === 'untold') fcm.devices.set(value, { kind: 'unregistered' });
    else apns.devices.set(value, { kind: 'unregistered', atMs });
    return { [Symbol.dispose]: () => (since === 'untold' ? fcm : apns).devices.delete(value) };
  }

  /** Sends an operation to the server. Deaths of tokens go through the provider, not this way. */
  async perform(operation: Exclude<Operation, { kind: 'dead' }>): Promise<Observed> {
    switch (operation.kind) {
      case 'sync':
        return this.#sync(operation);
      case 'assign':
        return observeSync(await this.#assign(operation), []);
      case 'logout': {
        const whom = operation.user === null ? '/user' : `/users/${this.userId(operation.user)}`;
        const query = operation.seq === null ? '' : `?seq=${operation.seq}`;
        const answer = await this.#asClient('DELETE', operation, `${whom}${query}`);
        if (answer.status !== 204) return observeRefusal(answer);
        return { reply: { kind: 'logged_out', seq: answer.seq }, nonce: null };
      }
      case 'remove': {
        const answer = await this.#asClient('DELETE', operation, '');
        return answer.status === 204 ? DONE : observeRefusal(answer);
      }
      case 'revoke': {
        const named = operation.named?.map((name) => this.installationId(name));
        const path = `/v1/users/${this.userId(operation.user)}/revoke`;
        const body = named === undefined ? {} : { installations: named };
        const answer = await this.#asBackEnd('POST', path, body);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const count = Number(answer.body['signed_out']);
        return { reply: { kind: 'signed_out', count }, nonce: null };
      }
      case 'erase': {
        const path = `/v1/users/${this.userId(operation.user)}`;
        const answer = await this.#asBackEnd('DELETE', path);
        assert.equal(answer.status, 204, JSON.stringify(answer.body));
        return DONE;
      }
    }
  }

  /** How the API shows the installations of this history, one request each, in its own names. */
  async observe(): Promise<ReadonlyMap<string, Sight>> {
    const sights = new Map<string, Sight>();
    for (const [name, { id }] of this.#phones) {
      const answer = await this.#asBackEnd('GET', `/v1/installations/${id}`);
      const body = answer.body as unknown as Shown;
      if (answer.status === 200 && body.status !== 'removed') sights.set(name, this.#sight(body));
    }
    return sights;
  }

  #sight({ user, users, token, seq }: Shown): Sight {
    const known = [...this.#tokens].find(([, one]) => fingerprint(one) === token?.masked);
    return {
      users: (users ?? (user ? [user] : [])).map(({ id }) => this.#nameOf(id)).toSorted(),
      token: token === null ? null : (known?.[0] ?? token.masked),
      status: token?.status ?? null,
      seq: { token: seq.token, user: seq.user },
    };
  }

  #nameOf(userId: string): string {
    return userId.replace(`-${this.#label}`, '');
  }

  async #sync(packet: Packet): Promise<Observed> {
    const { seq, token, users, takeover } = packet;
    const nonce = takeover === undefined ? null : this.#nonces.get(JSON.stringify(takeover));
    assert(nonce !== undefined, 'a nonce is echoed that was never handed out');
    const answer = await this.#asClient('PUT', packet, '', {
      seq,
      ...(token !== undefined && { token: token === null ? null : this.token(token) }),
      ...(users && this.#named(users.map((claim) => this.#vouchedFor(packet, claim)))),
      ...(nonce !== null && { takeover: nonce }),
    });
    const refused = answer.body['refused_users'] as unknown as readonly string[] | undefined;
    // An exclusive app does not say who it was, because only one is named.
    const only = (users ?? []).map(({ user }) => user);
    return observeSync(answer, refused?.map((id) => this.#nameOf(id)) ?? only);
  }

  /** The user group of a packet, as the app has it. */
  #named<T>(all: readonly T[]): { readonly users: readonly T[] } | { readonly user: T | null } {
    return this.#accountMode === 'multi' ? { users: all } : { user: all[0] ?? null };
  }

  async #assign({ installation, token, users }: Assignment): Promise<DoorAnswer> {
    return this.#asBackEnd('PUT', `/v1/installations/${this.installationId(installation)}`, {
      ...(token !== undefined && { token: token === null ? null : this.token(token) }),
      ...(users && this.#named(users.map((user) => ({ id: this.userId(user) })))),
    });
  }

  #vouchedFor({ installation }: Packet, { user, proof }: Claim) {
    const id = this.userId(user);
    if (proof === null) return { id };
    const issuedAt = this.#ground.second + proof.issuedAt;
    const claims = {
      sub: id,
      aud: this.#app.id,
      iid: this.installationId(installation),
      iat: issuedAt,
      exp: issuedAt + ASSERTION_SECONDS,
      jti: `${proof.id}-${this.#label}`,
    };
    return { id, assertion: signedClaims(claims, this.#ground.network.issuer.hmacSecret) };
  }

  async #asClient(
    method: 'PUT' | 'DELETE',
    by: { readonly installation: string; readonly secret: string },
    path: string,
    body?: unknown,
  ): Promise<DoorAnswer> {
    const url = `/v1/installations/${this.installationId(by.installation)}${path}`;
    const headers = {
      authorization: `Bearer ${this.#app.publishableKey}`,
      'homing-installation-secret': this.#phone(by.secret).secret,
      // Enrolments are limited by address, and each history has one of its own.
      'x-forwarded-for': addressOf(this.#label),
    };
    return this.#ground.door.request(method, url, headers, body);
  }

  #asBackEnd(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<DoorAnswer> {
    const headers = { authorization: `Bearer ${this.#app.secretKey}` };
    return this.#ground.door.request(method, path, headers, body);
  }

  #phone(name: string): Phone {
    const known = this.#phones.get(name);
    if (known !== undefined) return known;
    const made = { id: randomUUID(), secret: randomBytes(32).toString('base64url') };
    this.#phones.set(name, made);
    return made;
  }
}

/** An address of the documentation's IPv6 range, made of the first digits of a UUID. */
function addressOf(uuid: string): string {
  const digits = uuid.replaceAll('-', '').slice(0, 16);
  return `2001:db8:${(digits.match(/.{4}/g) ?? []).join(':')}::1`;
}
