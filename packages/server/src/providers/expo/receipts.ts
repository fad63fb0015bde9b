import assert from 'node:assert/strict';
import { LIMITS } from '../../domain/limits.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { isJsonObject, parseJsonObject } from '../json-object.ts';
import { outcomeOfCutOff, outcomeWithoutAnswer } from '../no-answer.ts';
import type { Receipts, ReceiptsAnswer, SendOptions } from '../provider.ts';
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
    fetch(ids, signal) {
      const startBefore = performance.now() + LIMITS.receiptStartMs;
      return ask({ connection, now }, ids, { startBefore, signal });
    },
  };
}

interface Asker {
  readonly connection: ExpoConnection;
  readonly now: () => Date;
}

/**
 * A question that Expo does not take is asked in halves, so that an id that it finds fault with
 * keeps nobody else from being heard of, for the day that receipts last.
 */
async function ask(
  asker: Asker,
  ids: readonly string[],
  options: SendOptions,
): Promise<ReceiptsAnswer> {
  const answer = await askOnce(asker, ids, options);
  if (answer.kind === 'receipts' || answer.outcome.kind !== 'payload') return answer;
  if (ids.length === 1) return answer;
  const middle = Math.ceil(ids.length / 2);
  const halves = [ids.slice(0, middle), ids.slice(middle)];
  const [first, second] = await Promise.all(halves.map((half) => ask(asker, half, options)));
  assert(first !== undefined && second !== undefined, 'each half is answered');
  if (first.kind === 'refused') return second.kind === 'refused' ? first : second;
  if (second.kind === 'refused') return first;
  return { kind: 'receipts', outcomes: new Map([...first.outcomes, ...second.outcomes]) };
}

async function askOnce(
  { connection, now }: Asker,
  ids: readonly string[],
  options: SendOptions,
): Promise<ReceiptsAnswer> {
  const result = await connection.post(RECEIPTS_PATH, JSON.stringify({ ids }), options);
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
}

function refused(outcome: Outcome): ReceiptsAnswer {
  return { kind: 'refused', outcome };
}
