import { randomUUID } from 'node:crypto';
import { apiKeyHint, generateApiKey, hashApiKey, type ApiKeyPrefix } from './access/api-key.ts';
import { SCOPES } from './access/scopes.ts';
import { addIdentityKey, type NewIdentityKey } from './credentials/identity-key.ts';
import { addCredential, type NewProviderCredential } from './credentials/add-credential.ts';
import type { Vault } from './credentials/sealing.ts';
import { PROVIDERS, type ProviderName } from './domain/address.ts';
import { parseIdentityJwk } from './domain/identity-jwk.ts';
import { LIMITS } from './domain/limits.ts';
import type { RateSetting } from './domain/rate.ts';
import { formatTypedId } from './domain/typed-id.ts';
import type { ProviderKinds } from './provider-kinds.ts';
import type { CredentialParts } from './providers/kind.ts';
import { findApiKey, insertApiKey, insertApp, type NewApp } from './store/apps.ts';
import type { App } from './store/apps.ts';
import type { Database, Transaction } from './store/sql.ts';
import { inTransaction } from './store/transaction.ts';

/** An app with everything it needs, as `homing dev` and tests set it up. */
export interface NewAppRequest {
  readonly name: string;
  readonly environment: NewApp['environment'];
  readonly identity: NewApp['identity'];
  /** What each provider needs, as docs/providers says; none is needed to begin with. */
  readonly credentials: Readonly<Partial<Record<ProviderName, Readonly<Record<string, unknown>>>>>;
  /** How fast the credential of a provider may be used; its own figures when left out. */
  readonly rates?: Readonly<Partial<Record<ProviderName, RateSetting>>>;
  readonly identityKeys: readonly NewIdentityKey[];
  /** Web origins that may use the publishable key; `*` for any. */
  readonly allowedOrigins?: readonly string[];
}

export interface ProvisionedApp {
  /** `app_…`: what assertions name as their audience. */
  readonly id: string;
  /** In the clear, this once. */
  readonly secretKey: string;
  readonly publishableKey: string;
}

/** Where an app is made: a server, or what is needed of one. */
export interface ProvisionTarget {
  readonly db: Database;
  readonly vault: Vault;
  readonly kinds: ProviderKinds;
}

/** Settings that cannot be used; says which field of which provider. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError';
}

/** Makes an app with its keys and credentials, all or nothing. */
export async function provisionApp(
  { db, vault, kinds }: ProvisionTarget,
  request: NewAppRequest,
): Promise<ProvisionedApp> {
  return inTransaction(db, async (tx) => {
    const { name, environment, identity, allowedOrigins = [] } = request;
    if (environment === 'live' && identity === 'off') {
      throw new ProvisionError('a live app always requires proof of its users');
    }
    const id = randomUUID();
    const app = await insertApp(tx, { id, name, environment, identity, allowedOrigins });
    for (const provider of PROVIDERS) {
      const input = request.credentials[provider];
      if (input === undefined) continue;
      const parts = toCredential(kinds, provider, input);
      const rate = rateSetting(request.rates?.[provider]);
      await addCredential(tx, vault, { appRef: app.ref, provider, ...parts, ...rate });
    }
    const now = new Date();
    request.identityKeys.forEach(requireUsableKey);
    if (request.identityKeys.length > LIMITS.identityKeysLive) {
      throw new ProvisionError(`at most ${LIMITS.identityKeysLive} identity keys`);
    }
    for (const key of request.identityKeys) {
      const ref = await addIdentityKey(tx, vault, app.ref, key, now);
      if (ref === null) throw new ProvisionError(`identity key ${key.keyId} is named twice`);
    }
    const secretKey = await addKey(tx, app, environment === 'live' ? 'sk_live' : 'sk_test');
    const publishableKey = await addKey(tx, app, 'pk');
    return { id: formatTypedId('app', app.id), secretKey, publishableKey };
  });
}

function rateSetting(rate: RateSetting | undefined): Pick<NewProviderCredential, 'rate'> {
  return rate === undefined ? {} : { rate };
}

function requireUsableKey(key: NewIdentityKey): void {
  if (key.algorithm === 'HS256') return;
  const parsed = parseIdentityJwk(key.publicJwk);
  if (parsed.kind === 'key' && parsed.algorithm === key.algorithm) return;
  const why = parsed.kind === 'refused' ? parsed.why : `is for ${parsed.algorithm}`;
  throw new ProvisionError(`identity key ${key.keyId}: ${why}`);
}

async function addKey(tx: Transaction, app: App, prefix: ApiKeyPrefix): Promise<string> {
  const key = generateApiKey(prefix);
  await insertApiKey(tx, app.ref, {
    kind: prefix === 'pk' ? 'publishable' : 'secret',
    scopes: prefix === 'pk' ? [] : SCOPES,
    hint: apiKeyHint(key),
    hash: hashApiKey(key),
  });
  return key;
}

/** Checks what was given for one credential; throws a `ProvisionError` that names the fields. */
function toCredential(
  kinds: ProviderKinds,
  provider: ProviderName,
  input: Readonly<Record<string, unknown>>,
): CredentialParts {
  const parsed = kinds[provider].divide(input);
  if (parsed.kind === 'settings') return parsed.settings;
  const lines = parsed.problems.map((problem) => `${provider}.${problem.field} ${problem.message}`);
  throw new ProvisionError(lines.join('; '));
}

/** Whether a key opens something in this database. */
export async function isKeyKnown(db: Database, key: string): Promise<boolean> {
  return (await findApiKey(db, hashApiKey(key), new Date())) !== null;
}
