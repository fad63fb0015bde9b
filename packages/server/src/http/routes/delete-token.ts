import { DeleteTokenInput, SimpleAnswer } from '@homing/protocol';
import { addressKey } from '../../domain/address-key.ts';
import { candidateAddresses } from '../../domain/simple-token.ts';
import type { CredentialFacts } from '../../domain/token-input.ts';
import { ADMIT_ALL, type Caller } from '../../registry/caller.ts';
import type { SyncQueue } from '../../registry/sync-queue.ts';
import type { App } from '../../store/apps.ts';
import { findHolders } from '../../store/installations.ts';
import type { Database } from '../../store/sql.ts';
import type { HttpServer } from '../server.ts';
import {
  simpleCallerOf,
  toBearer,
  type SimpleCaller,
  type SimpleCallerDependencies,
} from '../simple-caller.ts';

export interface DeleteTokenDependencies extends SimpleCallerDependencies {
  readonly db: Database;
  readonly syncs: SyncQueue;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

/**
 * `DELETE /delete-token`: logout for home-grown clients. Detaches the user and keeps device and
 * token. A token that is unknown, or linked to another user than the bearer's, gets the same
 * answer and no effect; an expired assertion serves, and one of a key that was retired lately
 * (rule R5). A secret key reaches whoever holds the token, a client of ours that has a secret as
 * well.
 */
export function deleteToken(server: HttpServer, deps: DeleteTokenDependencies): void {
  server.delete(
    '/delete-token',
    {
      schema: {
        body: DeleteTokenInput,
        response: { 200: SimpleAnswer },
        summary: 'Sign out by token, for clients written without Homing',
        tags: ['simple'],
      },
    },
    async (request) => {
      const caller = await simpleCallerOf(deps, request, 'logout');
      const { app } = caller;
      const candidates = candidateAddresses(request.body.token, await deps.credentialsOf(app));
      const addressKeys = candidates.map(addressKey);
      const requestId = request.id;
      const context = { app, caller: toCaller(caller), requestId, now: deps.clock() };
      const userId = caller.kind === 'user' ? caller.userId : null;
      // Who registers the token at this moment is signed out as well.
      await deps.syncs.settled(app.ref, addressKeys);
      for (const { id } of await findHolders(deps.db, app.ref, addressKeys)) {
        const logout = { installationId: id, seq: null, userId, holding: addressKeys };
        await deps.syncs.signOut({ kind: 'logout', context, logout });
      }
      return { success: true } as const;
    },
  );
}

function toCaller(caller: SimpleCaller): Caller {
  const bearer = toBearer(caller);
  if (bearer.kind === 'key') return { kind: 'back_end', keyHint: bearer.hint };
  return { kind: 'simple', bearer, admit: ADMIT_ALL };
}
