import type { Memory } from './memory.ts';
import type { ClientAnswer } from './ports.ts';

/** An answer of the server, read as far as anything of it can be used. */
export interface ReadAnswer {
  /** 0 where none came. */
  readonly status: number;
  /** Stable code of a problem, or `http_` and the status where it has none; or `no_answer`. */
  readonly code: string;
  readonly detail: string;
  /** The members of a JSON object; none of anything else, such as the page of a hotel's network. */
  readonly body: Body;
  /** What the server counted, beside what the client did. */
  readonly seq: number;
  /** How long it asks to be left alone. */
  readonly patienceMs: number;
}

/** Members of unknown shape. */
export type Body = Readonly<Record<string, unknown>>;

/** The largest sequence that the server takes. */
const MAX_SEQ = 2 ** 48;
/** A server may ask for patience, and not for silence until the next start. */
const LONGEST_ASKED_SECONDS = 3600;
/** As long as a nonce lives, and as often as a strict app asks a phone for its echo. */
const CHALLENGE_SECONDS = 60;

/** Reads whatever came, which may be anything; null for no answer. */
export function readAnswer(answer: ClientAnswer | null): ReadAnswer {
  const body = toBody(parse(answer?.body));
  const { code, detail, seq, challenge } = body;
  const seqs = [Number(answer?.header('homing-seq')), seq, ...Object.values(toBody(seq))];
  const status = answer?.status ?? 0;
  const asked = [429, 503].includes(status) ? Number(answer?.header('retry-after')) : 0;
  const seconds = challenge === undefined ? asked : CHALLENGE_SECONDS;
  return {
    status,
    code: textOr(code, status === 0 ? 'no_answer' : `http_${status}`),
    detail: textOr(detail, ''),
    body,
    seq: Math.max(0, ...seqs.filter(isSeq)),
    patienceMs: seconds > 0 ? Math.min(seconds, LONGEST_ASKED_SECONDS) * 1000 : 0,
  };
}

/** The client counts on from what the server knows. */
export function counted(memory: Memory, { seq }: ReadAnswer): Memory {
  return { ...memory, seq: Math.max(seq, memory.seq) };
}

/** A request that cannot be taken as it is would be refused for ever. */
export function isImpossible({ status }: ReadAnswer): boolean {
  return [400, 405, 413, 415, 422].includes(status);
}

/** The server does not know this installation any more, or knows of another copy of it. */
export function isGone({ status, code, body }: ReadAnswer): boolean {
  return (
    status === 410 ||
    ['installation_removed', 'installation_forked'].includes(code) ||
    (code === 'invalid_credentials' && body['credential'] === 'installation_secret')
  );
}

/** The ids in `user` or `users` of an installation; null where it has neither. */
export function usersIn(installation: unknown): readonly string[] | null {
  const { user, users = user && [user] } = toBody(installation);
  if (users === undefined) return null;
  return textsIn(listOf(users).map((one) => toBody(one)['id']));
}

/** The texts of a list; none of anything else. */
export function textsIn(list: unknown): readonly string[] {
  return listOf(list).filter((one) => typeof one === 'string');
}

/** The members of an object; none of use of anything else. */
export function toBody(value: unknown): Body {
  return Object(value) as Body;
}

/** The members of a list; none of anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isSeq(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) <= MAX_SEQ;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
