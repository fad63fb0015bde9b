import type { IdentityKeyAnswer, IdentityKeyInput, IdentityKeyList } from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

/** The keys that vouch for users; two may be live. */
export interface IdentityKeys {
  list(options?: CallOptions): Promise<readonly IdentityKeyAnswer[]>;
  /** Adds a public key, or a shared secret; it vouches from the answer on. */
  add(input: IdentityKeyInput, options?: OnceOptions): Promise<IdentityKeyAnswer>;
  /** What it signed is refused from now on. */
  retire(kid: string, options?: CallOptions): Promise<void>;
}

const PATH = ['app', 'identity-keys'];

export function createIdentityKeys(transport: Transport): IdentityKeys {
  return {
    async list(options) {
      const { data } = await transport.json<IdentityKeyList>('GET', PATH, { options });
      return data;
    },
    add: (input, options) => transport.json('POST', PATH, { json: input, options }),
    retire: (kid, options) => transport.nothing('DELETE', [...PATH, kid], { options }),
  };
}
