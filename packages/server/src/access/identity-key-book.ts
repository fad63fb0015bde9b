import assert from 'node:assert';
import type { KeyObject } from 'node:crypto';
import { parseIdentityJwk } from '../domain/identity-jwk.ts';
import type { App } from '../store/apps.ts';
import { listIdentityKeys, type IdentityKey } from '../store/identity-keys.ts';
import type { Queryable } from '../store/sql.ts';
import type { AssertionKeys, CandidateKeys, VerifyingKey } from './assertion.ts';
import type { KeySetBook } from './key-set-book.ts';

/** The keys by which an app's users are known: registered one by one, or published by the app. */
export interface IdentityKeyBook {
  /** For the assertions of one app; with the keys that were retired after an instant, if any. */
  keysOf(app: App, retiredAfter?: Date): AssertionKeys;
  /** The app's live shared secrets, for static signatures. */
  secretsOf(app: App): Promise<readonly SharedSecret[]>;
}

export interface SharedSecret {
  readonly secret: Uint8Array;
  /** What was signed with it was signed after this. */
  readonly since: Date;
}

export interface IdentityKeySources {
  readonly db: Queryable;
  readonly openSecret: (appRef: number, key: IdentityKey) => Uint8Array;
  readonly keySets: KeySetBook;
}

/** Imported keys, by the reference of rows that never change; far above what one server meets. */
const CAPACITY = 10_000;

export function createIdentityKeyBook({
  db,
  openSecret,
  keySets,
}: IdentityKeySources): IdentityKeyBook {
  const imported = new Map<number, KeyObject>();
  const publicKeyOf = (key: IdentityKey, jwk: NonNullable<IdentityKey['publicJwk']>): KeyObject => {
    const known = imported.get(key.ref);
    if (known !== undefined) return known;
    const parsed = parseIdentityJwk(jwk);
    assert(parsed.kind === 'key', 'keys are checked before they are stored');
    if (imported.size >= CAPACITY) imported.clear();
    imported.set(key.ref, parsed.publicKey);
    return parsed.publicKey;
  };
  const toVerifyingKey = (app: App, key: IdentityKey): VerifyingKey => {
    const { keyId, algorithm, publicJwk } = key;
    const material = publicJwk === null ? openSecret(app.ref, key) : publicKeyOf(key, publicJwk);
    return { keyId, algorithm, material };
  };
  return {
    keysOf: (app, retiredAfter) => ({
      async candidates(algorithm, keyId): Promise<CandidateKeys> {
        if (algorithm === 'HS256' && app.staticSignatures) return NO_KEYS;
        const known = await listIdentityKeys(db, app.ref, retiredAfter ?? null);
        const keys = known
          .filter((key) => key.algorithm === algorithm && (keyId ?? key.keyId) === key.keyId)
          .map((key) => toVerifyingKey(app, key));
        const isNamed = keyId !== null && keys.length > 0;
        if (app.jwksUrl === null || isNamed || algorithm === 'HS256') return { ...NO_KEYS, keys };
        const published = await keySets.find(app.ref, app.jwksUrl, algorithm, keyId);
        return { ...published, keys: [...keys, ...published.keys] };
      },
      async newcomers(algorithm, keyId): Promise<CandidateKeys> {
        if (app.jwksUrl === null || algorithm === 'HS256') return NO_KEYS;
        return keySets.search(app.ref, app.jwksUrl, algorithm, keyId);
      },
    }),
    async secretsOf(app) {
      const live = await listIdentityKeys(db, app.ref);
      return live
        .filter(({ algorithm }) => algorithm === 'HS256')
        .map((key) => ({ secret: openSecret(app.ref, key), since: key.createdAt }));
    },
  };
}

/**
 * Where an app takes bare HMACs of user ids, its secrets sign whatever a person can choose as an
 * id. A person could choose what an assertion begins with, and would get the rest of one, so that
 * such a secret is good for static signatures alone.
 */
const NO_KEYS: CandidateKeys = { keys: [], retryAfterSeconds: null };
