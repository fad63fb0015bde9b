/**
 * Defects that push servers are known to have had under load and in trouble, by number, and where
 * each is shown not to be one of ours. `defects.test.ts` holds the list against the titles of all
 * tests, both ways.
 */
export interface DefectEntry {
  /** What was seen to go wrong elsewhere. */
  readonly defect: string;
  readonly shown: readonly ShownIn[];
}

/** A test whose title begins with the number, or, where it has other reasons, with this title. */
export interface ShownIn {
  readonly file: string;
  readonly title: string | null;
}

const TOKENS_AND_LIMITS = 'test/engine/tokens-and-limits.test.ts';
const SEPARATE_LANES = 'test/engine/separate-lanes.test.ts';

export const DEFECTS = {
  T9: entry(
    'A crash between taking work and ticking it off loses it.',
    titled(
      'packages/homing/test/serve-crash.test.ts',
      'repeats, under the same id and marked, a push that was under way',
    ),
  ),
  T10: entry(
    'Two workers on one queue both send.',
    titled(
      'packages/homing/test/serve-workers.test.ts',
      'share the work: each of 200 notifications is sent, and exactly once',
    ),
  ),
  T11: entry(
    'Tokens that are deleted during a campaign make its pages skip others.',
    numbered(TOKENS_AND_LIMITS),
  ),
  T12: entry(
    'A GOAWAY loses, or repeats, what was under way on the connection.',
    numbered(TOKENS_AND_LIMITS),
  ),
  T13: entry(
    'A provider that was out of reach for a while needs a restart, or takes the process down.',
    titled(
      'test/scenarios/provider-outage.test.ts',
      'work for a provider that cannot be reached waits, and goes out when it is back',
    ),
  ),
  T14: entry(
    'A 429 counts as a failure, or its Retry-After as nothing.',
    numbered(TOKENS_AND_LIMITS),
    titled(
      'test/scenarios/feedback.test.ts',
      'a 429 with Retry-After is repeated after that time and not before',
    ),
  ),
  T15: entry(
    'More pushes at once than a connection has streams: errors, or a connection for each.',
    numbered(TOKENS_AND_LIMITS),
    titled(
      'packages/server/test/providers/apns-provider.test.ts',
      'sends hundreds at once although the first connection begins with one stream',
    ),
  ),
  T16: entry(
    'A queue in memory that is full drops what it has accepted, or panics.',
    numbered(SEPARATE_LANES),
  ),
  T17: entry(
    'A platform that is unknown or switched off swallows its pushes without a word.',
    numbered(SEPARATE_LANES),
  ),
  T18: entry('Only one Firebase project fits into a process.', numbered(SEPARATE_LANES)),
  T19: entry('Trouble at APNs holds FCM up.', numbered(SEPARATE_LANES)),
  T20: entry('A bulk send holds transactional messages up.', numbered(SEPARATE_LANES)),
} satisfies Readonly<Record<`T${number}`, DefectEntry>>;

function entry(defect: string, ...shown: readonly ShownIn[]): DefectEntry {
  return { defect, shown };
}

function numbered(file: string): ShownIn {
  return { file, title: null };
}

function titled(file: string, title: string): ShownIn {
  return { file, title };
}
