import { LIMITS } from '../../domain/limits.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { isJsonObject, parseJsonObject } from '../json-object.ts';
import { outcomeOfCutOff, outcomeWithoutAnswer } from '../no-answer.ts';
import type { Receipts, ReceiptsAnswer } from '../provider.ts';
import type { ExpoConnection } from './connection.ts';
import { classifyItem, classifyRefusal } from './reasons.ts';

const RECEIPTS_PATH = '/--/api/v2/push/getReceipts';
const MINUTE_MS = 60_000;

/**
 * What APNs and FCM said to Expo. Expo asks to wait for 15 minutes and keeps receipts for a day; it
 * takes 1000 ids in one request.
 */
export function createExpoReceipts(connection: ExpoConnection, now: () => Date): Receipts {
  return {
    afterMs: 15 * MINUTE_MS,
    untilMs: 24 * 60 * MINUTE_MS,
    async fetch(ids, signal) {
      const startBefore = performance.now() + LIMITS.receiptStartMs;
      const json = JSON.stringify({ ids });
      const result = await connection.post(RECEIPTS_PATH, json, { startBefore, signal });
      if (result.kind !== 'answer') return refused(outcomeWithoutAnswer(result));
      const cutOff = outcomeOfCutOff(result);
      if (cutOff !== null) return refused(cutOff);
      const data = result.status === 200 ? parseJsonObject(result.body)?.['data'] : null;
      if (!isJsonObject(data)) return refused(classifyRefusal(result, now()).outcome);
      const outcomes = new Map<string, Outcome>();
      for (const id of ids) {
        if (Object.hasOwn(data, id)) outcomes.set(id, classifyItem('receipt', id, data[id]));
      }
      return { kind: 'receipts', outcomes };
    },
  };
}

function refused(outcome: Outcome): ReceiptsAnswer {
  return { kind: 'refused', outcome };
}
