import type {
  CredentialAnswer,
  CredentialDraft,
  CredentialInput,
  CredentialList,
  CredentialPatch,
  CredentialVerification,
} from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import { eachOf, type PageSize } from '../paging.ts';
import type { Transport } from '../transport.ts';

/** What opens the providers. */
export interface Credentials {
  /** Newest first, retired ones included. */
  list(filter?: PageSize, options?: CallOptions): AsyncGenerator<CredentialAnswer>;
  get(credentialId: string, options?: CallOptions): Promise<CredentialAnswer>;
  /** From then on it serves what it fits. */
  add(input: CredentialInput, options?: OnceOptions): Promise<CredentialAnswer>;
  /** Changes its name or its rate; for everything else a new one is added. */
  update(
    credentialId: string,
    input: CredentialPatch,
    options?: CallOptions,
  ): Promise<CredentialAnswer>;
  /** Ends it and forgets its secret; another one that fits takes its place. */
  retire(credentialId: string, options?: CallOptions): Promise<void>;
  /** Asks the provider about it, in a way that reaches no phone. */
  verify(credentialId: string, options?: OnceOptions): Promise<CredentialVerification>;
  /** Asks the provider about settings before they are added. */
  verifyDraft(draft: CredentialDraft, options?: OnceOptions): Promise<CredentialVerification>;
}

const PATH = ['app', 'credentials'];

export function createCredentials(transport: Transport): Credentials {
  return {
    list: ({ pageSize: limit } = {}, options) =>
      eachOf((after) =>
        transport.json<CredentialList>('GET', PATH, { query: { limit, after }, options }),
      ),
    get: (id, options) => transport.json('GET', [...PATH, id], { options }),
    add: (input, options) => transport.json('POST', PATH, { json: input, options }),
    update: (id, input, options) =>
      transport.json('PATCH', [...PATH, id], { json: input, options }),
    retire: (id, options) => transport.nothing('DELETE', [...PATH, id], { options }),
    verify: (id, options) => transport.json('POST', [...PATH, id, 'verify'], { options }),
    verifyDraft: (draft, options) =>
      transport.json('POST', [...PATH, 'verify'], { json: draft, options }),
  };
}
