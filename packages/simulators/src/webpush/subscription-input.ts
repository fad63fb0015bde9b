import { invalid, isRecord } from '../variant.ts';
import type { Parsed } from '../variant.ts';
import { readPublicPoint } from './public-point.ts';
import { WEB_PUSH_SENTINELS } from './sentinel-tokens.ts';

/** The subscription that somebody wants of a browser inside the simulator. */
export interface WantedSubscription {
  readonly personality: string;
  readonly applicationServerKey: string;
  /** Empty for a subscription that is as any other. */
  readonly sentinel: string;
}

const FIELDS: ReadonlySet<string> = new Set(['personality', 'applicationServerKey', 'sentinel']);

/** Reads what came as JSON; whether there is such a personality here is for the caller to say. */
export function readWantedSubscription(input: unknown): Parsed<WantedSubscription> {
  if (!isRecord(input)) return invalid('body', 'must be a JSON object');
  const stranger = Object.keys(input).find((name) => !FIELDS.has(name));
  if (stranger !== undefined) return invalid(stranger, 'is not a field');
  const { personality, applicationServerKey, sentinel = '' } = input;
  if (typeof personality !== 'string') return invalid('personality', 'must be a string');
  if (typeof applicationServerKey !== 'string' || readPublicPoint(applicationServerKey) === null) {
    return invalid('applicationServerKey', 'must be a P-256 public key in base64url');
  }
  const isSentinel = WEB_PUSH_SENTINELS.some(({ prefix }) => prefix === sentinel);
  if (typeof sentinel !== 'string' || (sentinel !== '' && !isSentinel)) {
    return invalid('sentinel', 'must be one of the sentinel prefixes');
  }
  return { ok: true, value: { personality, applicationServerKey, sentinel } };
}
