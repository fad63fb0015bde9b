import type { FleetPhone } from './fleet-phone.ts';
import type { Violations } from './violations.ts';

/** What phones sent while things happened to them. */
export interface RequestFigures {
  readonly total: number;
  readonly perPhoneAndMinute: number;
  /** Of one phone within any ten seconds. */
  readonly mostInTenSeconds: number;
  /** Of everything that a client may have to tell the server of. */
  readonly perCause: number;
}

const MINUTE_MS = 60_000;
const WINDOW_MS = 10_000;
/** Far more than a client needs, repetitions included; a loop without pauses sends thousands. */
const MOST_REQUESTS = { atAll: 20, perCause: 4 };

export function requestFigures(phones: readonly FleetPhone[], durationMs: number): RequestFigures {
  const times = phones.map(({ sentAtMs }) => sentAtMs);
  const total = times.reduce((sum, each) => sum + each.length, 0);
  const causes = phones.reduce((sum, phone) => sum + phone.causes, 0);
  return {
    total,
    perPhoneAndMinute: round(total / phones.length / (durationMs / MINUTE_MS)),
    mostInTenSeconds: Math.max(...times.map(mostWithinWindow)),
    perCause: round(total / causes),
  };
}

/** No client is in a hot loop, whatever it is answered: what it sends has its causes. */
export function checkPace(phones: readonly FleetPhone[], violations: Violations): void {
  for (const { sentAtMs, causes, diary } of phones) {
    const { length } = sentAtMs;
    if (length <= MOST_REQUESTS.atAll + MOST_REQUESTS.perCause * causes) continue;
    violations.add(diary, `${length} requests for ${causes} causes`);
  }
}

/** The moments are in their order. */
function mostWithinWindow(times: readonly number[]): number {
  let first = 0;
  let most = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? time) > WINDOW_MS) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
