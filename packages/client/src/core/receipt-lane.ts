import { isImpossible } from './answer.ts';
import type { Step } from './lane.ts';
import type { Memory, Receipt } from './memory.ts';

const RECEIPTS_AT_ONCE = 100;
/** Some thousand bytes; a device that is offline for longer forgets the oldest. */
const MAX_RECEIPTS = 500;

/** What became of notifications, after everything else. */
export function receiptLane(memory: Memory): Step | null {
  const receipts = memory.receipts.slice(0, RECEIPTS_AT_ONCE);
  if (!memory.isEnrolled || receipts.length === 0) return null;
  return {
    kind: 'send',
    memory,
    method: 'POST',
    path: '/receipts',
    body: JSON.stringify({ receipts }),
    settle(held, answer) {
      const isTaken = answer.status === 200 && typeof answer.body['stored'] === 'number';
      if (!isTaken && !isImpossible(answer)) return null;
      const left = held.receipts.filter((one) => !receipts.some((sent) => isSame(one, sent)));
      return { memory: { ...held, receipts: left }, ...(!isTaken && { error: answer }) };
    },
  };
}

/** Once for each kind. */
export function addReceipt(memory: Memory, receipt: Receipt): Memory {
  if (memory.receipts.some((one) => isSame(one, receipt))) return memory;
  return { ...memory, receipts: [...memory.receipts, receipt].slice(-MAX_RECEIPTS) };
}

function isSame(one: Receipt, other: Receipt): boolean {
  return one.notification_id === other.notification_id && one.kind === other.kind;
}
