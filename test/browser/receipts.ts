import assert from 'node:assert/strict';
import type { BackEnd } from '../back-end.ts';

interface ExportedReceipt {
  readonly notification_id: string;
  readonly installation_id: string;
  readonly kind: string;
}

/**
 * Asserts what devices have reported of a user's notifications, each as `INSTALLATION KIND
 * NOTIFICATION`, in any order: browsers and servers do not share a clock.
 */
export async function assertReceipts(
  backEnd: BackEnd,
  user: string,
  expected: readonly string[],
): Promise<void> {
  const answer = await backEnd.get(`/v1/users/${user}/export`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const receipts = answer.body['receipts'] as unknown as readonly ExportedReceipt[];
  assert.deepEqual(
    receipts.map((one) => `${one.installation_id} ${one.kind} ${one.notification_id}`).toSorted(),
    expected.toSorted(),
  );
}
