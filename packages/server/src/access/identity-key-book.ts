import assert from 'node:assert';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { parseIdentityJwk, type AssertionAlgorithm } from '../domain/identity-jwk.ts';
import type { App } from '../store/apps.ts';
import { listIdentityKeys, type IdentityKey } from '../store/identity-keys.ts';
import type { Queryable } from '../store/sql.ts';
import type { AssertionKeys, CandidateKeys, VerifyingKey } from './assertion.ts';
import { BriefMemory } from './brief-memory.ts';
import type { KeySetBook } from './key-set-book.ts';

/** The keys by which an app's users are known: registered one by one, or published by the app. */
export interface IdentityKeyBook {
  /**
   * For one assertion of an app; with the keys that were retired after an instant, if any. Live
   * keys are remembered for two seconds: a login or logout under load took 0.70 transactions, most
   * of them to read keys, and takes 0.14.
   */
  keysOf(app: App, retiredAfter?: Date): AssertionKeys;
  /** The app's live shared secrets, for static signatures. */
  secretsOf(app: App): Promise<readonly SharedSecret[]>;
  /** Asks the database again for every key: this process has added or retired one. */
  forget(): void;
}

export interface SharedSecret {
  readonly secret: Uint8Array;
  /** What was signed with it was signed after this. */
  readonly since: Date;
}

export interface IdentityKeySources {
  readonly db: Queryable;
  readonly clock: Clock;
  readonly openSecret: (appRef: number, key: IdentityKey) => Uint8Array;
  readonly keySets: KeySetBook;
}

/** Imported keys, by the reference of rows that never change; far above what one server meets. */
const CAPACITY = 10_000;

export function createIdentityKeyBook({
  db,
  clock,
  openSecret,
  keySets,
}: IdentityKeySources): IdentityKeyBook {
  const live = new BriefMemory(clock, (appRef: number) => listIdentityKeys(db, appRef));
  const toVerifyingKey = createKeyImporter(openSecret);
  const choose = (
    app: App,
    keys: readonly IdentityKey[],
    algorithm: AssertionAlgorithm,
    keyId: string | null,
  ): readonly VerifyingKey[] => {
    // Where an app takes bare HMACs of user ids, its secrets sign whatever a person can choose as
    // an id. A person could choose what an assertion begins with, and would get the rest of one,
    // so that such a secret is good for static signatures alone.
    if (algorithm === 'HS256' && app.staticSignatures) return [];
    return keys
      .filter((key) => key.algorithm === algorithm && (keyId ?? key.keyId) === key.keyId)
      .map((key) => toVerifyingKey(app, key));
  };
  const keysOf = (app: App, retiredAfter: Date | null): AssertionKeys => {
    let known: readonly IdentityKey[] = [];
    return {
      async candidates(algorithm, keyId): Promise<CandidateKeys> {
        const { ref, jwksUrl } = app;
        // Whether a shared secret signs assertions is a setting of the app, so that what was
        // remembered of before it changed must not meet what it is now.
        const isRemembered = retiredAfter === null && algorithm !== 'HS256';
        known = await (isRemembered ? live.find(ref) : listIdentityKeys(db, ref, retiredAfter));
        const keys = choose(app, known, algorithm, keyId);
        const isNamed = keyId !== null && keys.length > 0;
        if (jwksUrl === null || isNamed || algorithm === 'HS256') return { ...NO_KEYS, keys };
        const published = await keySets.find(ref, jwksUrl, algorithm, keyId);
        return { ...published, keys: [...keys, ...published.keys] };
      },
      async newcomers(algorithm, keyId): Promise<CandidateKeys> {
        // Shared secrets were read anew already; a look-up that others share may be a little older.
        if (algorithm === 'HS256') return NO_KEYS;
        const { ref, jwksUrl } = app;
        const tried = new Set(known.map((key) => key.ref));
        const added = (await live.findAfresh(ref)).filter((key) => !tried.has(key.ref));
        const keys = choose(app, added, algorithm, keyId);
        if (jwksUrl === null) return { ...NO_KEYS, keys };
        const published = await keySets.search(ref, jwksUrl, algorithm, keyId);
        return { ...published, keys: [...keys, ...published.keys] };
      },
    };
  };
  return {
    keysOf: (app, retiredAfter) => keysOf(app, retiredAfter ?? null),
    forget: () => live.forget(),
    async secretsOf(app) {
      const keys = await listIdentityKeys(db, app.ref);
      return keys
        .filter(({ algorithm }) => algorithm === 'HS256')
        .map((key) => ({ secret: openSecret(app.ref, key), since: key.createdAt }));
    },
  };
}

const NO_KEYS: CandidateKeys = { keys: [], retryAfterSeconds: null };

/** Makes rows into keys to verify with; a public key is imported once. */
function createKeyImporter(
  openSecret: IdentityKeySources['openSecret'],
): (app: App, key: IdentityKey) => VerifyingKey {
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
  return (app, key) => {
    const { keyId, algorithm, publicJwk } = key;
    const material = publicJwk === null ? openSecret(app.ref, key) : publicKeyOf(key, publicJwk);
    return { keyId, algorithm, material };
  };
}
