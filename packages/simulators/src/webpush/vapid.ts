import { verify } from 'node:crypto';
import { readJsonWebToken } from '../json-web-token.ts';
import type { WebPushProblem } from './problem.ts';
import { readPublicPoint, verificationKey } from './public-point.ts';

/** A VAPID credential (RFC 8292) whose signature holds. What it claims is another question. */
export interface Vapid {
  /** The application server's public key in base64url, without padding. */
  readonly key: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

const AUTHORIZATION = /^([^ ]+) +(.*)$/;
const PARAMETER = /^\s*([a-z]+)\s*=\s*"?([^"\s]*)"?\s*$/i;
const RAW_SIGNATURE_BYTES = 64;
const MAX_REMEMBERED = 1000;

/** Reads and verifies VAPID credentials. One serves for hours, so what was verified is kept. */
export class VapidCredentials {
  readonly #verified = new Map<string, Vapid>();

  /** The credential of an authorization header, or what is wrong with it. */
  read(authorization: string | undefined): Vapid | WebPushProblem {
    if (authorization === undefined) return 'authorization_missing';
    const known = this.#verified.get(authorization);
    if (known !== undefined) return known;
    const vapid = readAuthorization(authorization);
    if (typeof vapid === 'string') return vapid;
    if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
    this.#verified.set(authorization, vapid);
    return vapid;
  }
}

/** RFC 8292 section 3: the scheme `vapid`, in any case, with the parameters t and k. */
function readAuthorization(authorization: string): Vapid | WebPushProblem {
  const [, scheme = '', rest = ''] = AUTHORIZATION.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'vapid') return 'authorization_scheme';
  const parameters = new Map(
    rest.split(',').map((part) => {
      const [, name = '', value = ''] = PARAMETER.exec(part) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
  const text = parameters.get('t');
  if (text === undefined) return 'token_missing';
  const key = parameters.get('k');
  if (key === undefined) return 'key_missing';
  return verifyToken(text, key);
}

function verifyToken(text: string, key: string): Vapid | WebPushProblem {
  const point = key.endsWith('=') ? null : readPublicPoint(key);
  if (point === null) return 'key_malformed';
  const token = readJsonWebToken(text);
  if (token === null || token.header.alg !== 'ES256') return 'token_malformed';
  // RFC 7518 section 3.4 knows the raw form only; DER is the usual mistake.
  if (token.signature.length !== RAW_SIGNATURE_BYTES) return 'signature_invalid';
  const verifier = { key: verificationKey(point), dsaEncoding: 'ieee-p1363' } as const;
  if (!verify('sha256', token.signed, verifier, token.signature)) return 'signature_invalid';
  return { key, claims: token.claims };
}
