import { ReceiptsAnswer, ReceiptsInput } from '@homing/protocol';
import { parseTypedId } from '../../domain/typed-id.ts';
import { recordReceipts, type ReportedReceipt } from '../../feedback/receipts.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { InstallationPath, parseInstallationId, requireInstant } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationReceiptsDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/**
 * `POST /v1/installations/{id}/receipts`: what a device showed and what was opened. Receipts repeat
 * without effect by themselves, so no idempotency key is looked at: keys are shared by the whole
 * app, and a client must not be able to use up those of the back end.
 */
export function installationReceipts(
  server: HttpServer,
  deps: InstallationReceiptsDependencies,
): void {
  server.post(
    '/v1/installations/:installation_id/receipts',
    {
      schema: {
        params: InstallationPath,
        body: ReceiptsInput,
        response: { 200: ReceiptsAnswer },
        summary: 'Report what was displayed, opened or dismissed',
        tags: ['installations'],
      },
    },
    async (request) => {
      const context = await deps.authenticator.limitedInstallation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const result = await recordReceipts(deps.db, context, id, toReceipts(request.body));
      if (result.kind !== 'recorded') throw refusalError(result.kind);
      return { stored: result.stored, ignored: result.ignored };
    },
  );
}

function toReceipts(body: ReceiptsInput): readonly ReportedReceipt[] {
  return body.receipts.map((receipt, index) => ({
    notificationId: parseTypedId('ntf', receipt.notification_id),
    kind: receipt.kind,
    at: toInstant(receipt.at, `/receipts/${index}/at`),
  }));
}

/** RFC 3339 has a year 0, which PostgreSQL cannot hold. */
function toInstant(text: string, pointer: string): Date {
  return new Date(Math.max(0, requireInstant(text, pointer).getTime()));
}
