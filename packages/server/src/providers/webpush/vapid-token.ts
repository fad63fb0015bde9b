import { sign, type KeyObject } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { WebPushSettings } from './settings.ts';

const HOUR_MS = 60 * 60 * 1000;

/** RFC 8292 section 2 allows 24 h at most. */
const LIFETIME_MS = 12 * HOUR_MS;
/** Apple wants an hour at least between two; half of the lifetime is left when clocks differ. */
const RENEW_AFTER_MS = 6 * HOUR_MS;

const HEADER = encode({ typ: 'JWT', alg: 'ES256' });

/** What a VAPID token says. */
export interface VapidClaims {
  /** The origin of the push service. */
  readonly audience: string;
  readonly expiresAt: Date;
  /** Whom the push service may write to: `mailto:` or `https:`. */
  readonly subject: string;
}

/** A signed token (RFC 8292 section 2), with the signature in the form of JOSE. */
export function signVapidToken(key: KeyObject, claims: VapidClaims): string {
  const { audience: aud, expiresAt, subject: sub } = claims;
  const exp = Math.floor(expiresAt.getTime() / 1000);
  const signed = `${HEADER}.${encode({ aud, exp, sub })}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/**
 * The token that one key shows to one push service: what it says is for that origin alone, and
 * whoever receives it could use it there and nowhere else.
 */
export class VapidToken {
  readonly #settings: WebPushSettings;
  readonly #audience: string;
  readonly #clock: Clock;
  #authorization = '';
  #signedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: WebPushSettings, audience: string, clock: Clock) {
    this.#settings = settings;
    this.#audience = audience;
    this.#clock = clock;
  }

  /** The value of the field `authorization` (RFC 8292 section 3). */
  authorization(): string {
    const now = this.#clock().getTime();
    // A clock that was put back may have signed for a time too far away.
    if (Math.abs(now - this.#signedAtMs) > RENEW_AFTER_MS) this.#renew(now);
    return this.#authorization;
  }

  #renew(now: number): void {
    const { signingKey, publicKey, subject } = this.#settings;
    const expiresAt = new Date(now + LIFETIME_MS);
    const token = signVapidToken(signingKey, { audience: this.#audience, expiresAt, subject });
    this.#authorization = `vapid t=${token}, k=${publicKey}`;
    this.#signedAtMs = now;
  }
}

function encode(claims: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64url');
}
