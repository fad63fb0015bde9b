export type RequestKind = 'check_in' | 'refresh' | 'session' | 'enrolment';

/** How many of each kind there are among the requests, in any unit. */
export type Mix = Readonly<Record<RequestKind, number>>;

/** What phones send to a registry in use; a session begins or ends by login or logout. */
export const EVERYDAY: Mix = { check_in: 70, refresh: 20, session: 8, enrolment: 2 };
/** The same without what should cost no write. */
export const CHANGING: Mix = { ...EVERYDAY, check_in: 0 };
export const CHECK_INS: Mix = { check_in: 1, refresh: 0, session: 0, enrolment: 0 };

const KINDS: readonly RequestKind[] = ['check_in', 'refresh', 'session', 'enrolment'];
const GOLDEN_RATIO = 0.618_033_988_75;

/** The kind of the n-th request: any stretch of requests keeps the shares, and kinds alternate. */
export function kindAt(mix: Mix, step: number): RequestKind {
  const total = KINDS.reduce((sum, kind) => sum + mix[kind], 0);
  let rest = ((step * GOLDEN_RATIO) % 1) * total;
  for (const kind of KINDS) {
    if (rest < mix[kind]) return kind;
    rest -= mix[kind];
  }
  return 'check_in';
}
