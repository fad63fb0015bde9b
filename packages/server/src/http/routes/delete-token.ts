import { DeleteTokenInput, SimpleAnswer } from '@homing/protocol';
import { addressKey } from '../../domain/address-key.ts';
import { candidateAddresses } from '../../domain/simple-token.ts';
import type { CredentialFacts } from '../../domain/token-input.ts';
import { describeInstallation } from '../../registry/describe-installation.ts';
import { detachUser } from '../../registry/detach-user.ts';
import type { App } from '../../store/apps.ts';
import { findHolders } from '../../store/installations.ts';
import type { Database } from '../../store/sql.ts';
import type { HttpServer } from '../server.ts';
import { simpleCallerOf, type SimpleCallerDependencies } from '../simple-caller.ts';

export interface DeleteTokenDependencies extends SimpleCallerDependencies {
  readonly db: Database;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

/**
 * `DELETE /delete-token`: logout for home-grown clients. Detaches the user and keeps device and
 * token. A token that is unknown, or linked to another user than the bearer's, gets the same answer
 * and no effect; an expired assertion serves, because a logout must always work (rule R5).
 */
export function deleteToken(server: HttpServer, deps: DeleteTokenDependencies): void {
  server.delete(
    '/delete-token',
    { schema: { body: DeleteTokenInput, response: { 200: SimpleAnswer }, tags: ['simple'] } },
    async (request) => {
      const caller = await simpleCallerOf(deps, request, true);
      const { app } = caller;
      const candidates = candidateAddresses(request.body.token, await deps.credentialsOf(app));
      const holders = await findHolders(deps.db, app.ref, candidates.map(addressKey));
      const simple = { kind: 'simple' } as const;
      const context = { app, caller: simple, requestId: request.id, now: deps.clock() };
      for (const holder of holders) {
        const { userId } = await describeInstallation(deps.db, holder);
        if (caller.kind === 'user' && caller.userId !== userId) continue;
        await detachUser(deps.db, context, holder.id, null);
      }
      return { success: true } as const;
    },
  );
}
