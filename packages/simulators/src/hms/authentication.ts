import { constants, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AccessTokens } from '../access-tokens.ts';
import { readJsonWebToken, type JsonWebToken } from '../json-web-token.ts';
import type { HmsCode } from './answers.ts';
import type { HmsApp } from './app.ts';

/** Whom an authorization speaks for, or the code that it is refused with. */
export type Authentication =
  | { readonly kind: 'app'; readonly app: HmsApp; readonly by: 'client' | 'service_account' }
  | { readonly kind: 'refused'; readonly code: HmsCode };

interface KnownAccount {
  readonly app: HmsApp;
  readonly subAccount: string;
  readonly publicKey: KeyObject;
}

const BEARER = /^bearer +(\S+)$/i;
const MAX_LIFETIME_SECONDS = 3600;
const SALT_BYTES = 32;
// How far apart clocks may be is not documented.
const CLOCK_TOLERANCE_SECONDS = 300;

/** Judges what a push brings: an access token, or the signature of a service account itself. */
export class Authenticator {
  readonly #tokens: AccessTokens;
  readonly #audiences: ReadonlySet<string>;
  readonly #clock: () => number;
  #apps = new Map<string, HmsApp>();
  #accounts = new Map<string, KnownAccount>();

  constructor(tokens: AccessTokens, audiences: ReadonlySet<string>, clock: () => number) {
    this.#tokens = tokens;
    this.#audiences = audiences;
    this.#clock = clock;
  }

  addApp(app: HmsApp): void {
    this.#apps.set(app.clientId, app);
    for (const { keyId, subAccount, publicKeyPem } of app.serviceAccounts) {
      this.#accounts.set(keyId, { app, subAccount, publicKey: createPublicKey(publicKeyPem) });
    }
  }

  authenticate(authorization: string): Authentication {
    const bearer = BEARER.exec(authorization)?.[1] ?? '';
    const signed = readJsonWebToken(bearer);
    if (signed !== null) return this.#judgeSignature(signed);
    const app = this.#apps.get(this.#tokens.ownerOf(bearer) ?? '');
    if (app !== undefined) return { kind: 'app', app, by: 'client' };
    return refused(this.#tokens.hasExpired(bearer) ? '80200003' : '80200001');
  }

  #judgeSignature(token: JsonWebToken): Authentication {
    const { header, claims } = token;
    const account = this.#accounts.get(String(header.kid));
    if (account === undefined || header.alg !== 'PS256' || !isSigned(token, account.publicKey)) {
      return refused('80200001');
    }
    if (claims.iss !== account.subAccount || !this.#audiences.has(String(claims.aud))) {
      return refused('80200001');
    }
    const { iat, exp } = claims;
    const nowSeconds = this.#clock() / 1000;
    const isSensible =
      typeof iat === 'number' &&
      typeof exp === 'number' &&
      exp > iat &&
      exp - iat <= MAX_LIFETIME_SECONDS &&
      iat < nowSeconds + CLOCK_TOLERANCE_SECONDS;
    if (!isSensible) return refused('80200001');
    if (exp <= nowSeconds) return refused('80200005');
    return { kind: 'app', app: account.app, by: 'service_account' };
  }
}

/** RSASSA-PSS with SHA-256 and a salt as long as the digest (RFC 7518 section 3.5). */
function isSigned({ signed, signature }: JsonWebToken, key: KeyObject): boolean {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify('sha256', signed, { key, padding, saltLength: SALT_BYTES }, signature);
}

function refused(code: HmsCode): Authentication {
  return { kind: 'refused', code };
}
