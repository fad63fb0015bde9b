import {
  apiKeyHint,
  generateApiKey,
  hashApiKey,
  type ApiKeyPrefix,
} from '../../src/access/api-key.ts';
import { parseTypedId } from '../../src/domain/typed-id.ts';
import type { Network } from '../../../../test/network.ts';

export interface KeyWish {
  readonly prefix?: ApiKeyPrefix;
  readonly scopes?: readonly string[];
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
}

/** Another key of an app, as no route makes them yet: with chosen scopes, expired, or revoked. */
export async function makeKey(network: Network, appId: string, wish: KeyWish): Promise<string> {
  const { prefix = 'sk_test', scopes = [], expiresAt = null, revokedAt = null } = wish;
  const key = generateApiKey(prefix);
  await network.homing.db`
    insert into api_key (app_ref, kind, key_hash, hint, scopes, expires_at, revoked_at)
    select app_ref, ${prefix === 'pk' ? 'publishable' : 'secret'}, ${hashApiKey(key)},
      ${apiKeyHint(key)}, ${[...scopes]}, ${expiresAt}, ${revokedAt}
    from app where id = ${parseTypedId('app', appId)}`;
  return key;
}
