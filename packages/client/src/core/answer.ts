import type { ClientAnswer } from './ports.ts';

/** An answer of the server, read as far as anything of it can be used. */
export interface ReadAnswer {
  readonly status: number;
  /** Stable code of a problem, or `http_` and the status where the answer is none. */
  readonly code: string;
  readonly detail: string;
  readonly retryAfter: string | null;
  /** The members of a JSON object; none of anything else, such as the page of a hotel's network. */
  readonly body: Body;
  /** What the server counted, beside what the client did. */
  readonly seq: number;
}

/** Members of unknown shape. */
export type Body = Readonly<Record<string, unknown>>;

/** The largest sequence that the server takes. */
const MAX_SEQ = 2 ** 48;

/** Null when there was none. */
export function readAnswer(answer: ClientAnswer | null): ReadAnswer | null {
  if (answer === null) return null;
  const body = toBody(parse(answer.body));
  return {
    status: answer.status,
    code: typeof body['code'] === 'string' ? body['code'] : `http_${answer.status}`,
    detail: typeof body['detail'] === 'string' ? body['detail'] : '',
    retryAfter: answer.header('retry-after'),
    body,
    seq: highest([
      Number(answer.header('homing-seq') ?? 0),
      body['seq'],
      ...Object.values(toBody(body['seq'])),
    ]),
  };
}

/** The ids in `user` or `users` of an installation; null where it has neither. */
export function usersIn(installation: unknown): readonly string[] | null {
  const { user, users } = toBody(installation);
  if (user === undefined && users === undefined) return null;
  return listOf(users ?? [user]).flatMap((one) => textsIn([toBody(one)['id']]));
}

export function textsIn(list: unknown): readonly string[] {
  return listOf(list).filter((one) => typeof one === 'string');
}

/** The members of an object; none of anything else. */
export function toBody(value: unknown): Body {
  return typeof value === 'object' && value !== null ? (value as Body) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function highest(candidates: readonly unknown[]): number {
  return Math.max(0, ...candidates.filter(isSeq));
}

function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value <= MAX_SEQ;
}
