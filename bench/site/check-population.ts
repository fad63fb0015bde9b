import assert from 'node:assert/strict';
import { addressKey } from '../../packages/server/src/domain/address-key.ts';
import { addresseeTag } from '../../packages/server/src/domain/addressee-tag.ts';
import { toAddress } from '../../packages/server/src/domain/token-input.ts';
import { contentHash } from '../../packages/server/src/http/canonical-json.ts';
import type { Database } from '../../packages/server/src/store/sql.ts';
import { checkInOf, installationIdOf, tokenOf, userIdOf } from './population.ts';

interface Digests {
  readonly addressKey: Buffer;
  readonly tokenHash: Buffer;
  readonly deviceHash: Buffer;
  readonly userHash: Buffer | null;
  readonly rcpt: string | null;
}

/** Among twenty consecutive numbers there is each kind of installation. */
const SAMPLE = 20;

/**
 * Compares what SQL computed with what the server computes. A check-in whose token had another key
 * than the row would be answered all the same, and be cheaper than a real one.
 */
export async function checkPopulation(db: Database): Promise<void> {
  for (let number = 0; number < SAMPLE; number += 1) {
    const id = installationIdOf(number);
    const [row] = await db<(Digests & { readonly secretHash: Buffer })[]>`
      select address_key as "addressKey", token_hash as "tokenHash", device_hash as "deviceHash",
        user_hash as "userHash", rcpt, secret_hash as "secretHash"
      from installation left join link using (installation_ref) where id = ${id}
    `;
    assert(row !== undefined, id);
    const { secretHash, ...digests } = row;
    assert.deepEqual(digests, digestsOf(number, secretHash), id);
  }
}

function digestsOf(number: number, secretHash: Buffer): Digests {
  const { token, device, permission, user } = checkInOf(number);
  const address = toAddress(tokenOf(number, 1), []);
  assert(address.kind === 'address');
  return {
    addressKey: addressKey(address.address),
    tokenHash: contentHash(token),
    deviceHash: contentHash({ device, permission }),
    userHash: user === undefined ? null : contentHash(user),
    rcpt: user === undefined ? null : addresseeTag(secretHash, userIdOf(number)),
  };
}
