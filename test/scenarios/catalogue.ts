/**
 * The cases of wrong-account delivery, by number, and where each is a test. Missing numbers were
 * never cases. `catalogue.test.ts` holds this list against the titles of all tests, both ways: a
 * case is neither dropped silently nor said to be missing when it is there.
 */

/** What a case needs that the server alone, as it is, does not have. */
export type Need = 'read replica' | 'restore' | 'in-app messages' | 'scheduling' | 'segments';

export type CatalogueEntry =
  | { readonly kind: 'shown'; readonly in: readonly string[] }
  /** The server's part is a test; `rest` says what is not. */
  | {
      readonly kind: 'in_part';
      readonly in: readonly string[];
      readonly needs: Need;
      readonly rest: string;
    }
  /** No test yet; `rest` says what the server will, or does, contribute. */
  | { readonly kind: 'marked'; readonly needs: Need; readonly rest: string };

const ONE_PHONE = 'test/scenarios/one-phone.test.ts';
const TWO_INSTALLATIONS = 'test/scenarios/two-installations.test.ts';
const DISPUTES = 'test/scenarios/disputes.test.ts';
const UNDER_WAY = 'test/scenarios/under-way.test.ts';
const LATE_FEEDBACK = 'test/scenarios/late-feedback.test.ts';
const BROWSERS = 'test/scenarios/browsers.test.ts';
const IDENTITY_EDGES = 'test/scenarios/identity-edges.test.ts';
const SHARED_PHONE = 'test/scenarios/shared-phone.test.ts';
const CLIENT = 'test/client';
const TABS = 'test/client/browsers.test.ts';
const FIREFOX = 'test/browser/firefox.test.ts';
const CHROMIUM = 'test/browser/chromium.test.ts';
const RACES = 'test/races/races.test.ts';
const REGISTRY = 'packages/server/test/registry';
const HTTP = 'packages/server/test/http';

/** Group by group: one phone, two installations, under way, feedback, browsers, accounts, edges. */
export const CATALOGUE = {
  S01: shown(ONE_PHONE),
  S02: shown(ONE_PHONE),
  S04: shown(ONE_PHONE),
  S05: shown(ONE_PHONE, `${CLIENT}/logout.test.ts`, FIREFOX, CHROMIUM),
  S06: shown(ONE_PHONE, `${CLIENT}/logout.test.ts`, FIREFOX),
  S08: shown(ONE_PHONE),
  S09: shown(ONE_PHONE, `${CLIENT}/tokens.test.ts`),
  S12: shown(ONE_PHONE, `${REGISTRY}/ordering.test.ts`),
  S15: shown(ONE_PHONE, `${CLIENT}/proofs.test.ts`),
  S17: shown(ONE_PHONE),
  S18: shown(ONE_PHONE),
  S21: shown(ONE_PHONE),

  S23: shown(RACES, `${REGISTRY}/takeover.test.ts`),
  S24: shown(TWO_INSTALLATIONS, DISPUTES, `${CLIENT}/tokens.test.ts`),
  S26: shown(TWO_INSTALLATIONS, DISPUTES, `${CLIENT}/tokens.test.ts`),
  S28: shown(TWO_INSTALLATIONS, `${CLIENT}/restore.test.ts`),
  S29: shown(TWO_INSTALLATIONS, DISPUTES, `${CLIENT}/restore.test.ts`),
  S30: shown(TWO_INSTALLATIONS, DISPUTES, `${CLIENT}/restore.test.ts`),
  S31: shown(TWO_INSTALLATIONS),
  S32: shown(TWO_INSTALLATIONS, `${CLIENT}/tokens.test.ts`),
  S33: shown(DISPUTES),
  S34: shown(TWO_INSTALLATIONS, DISPUTES, `${CLIENT}/late-pushes.test.ts`),
  S35: shown(`${HTTP}/assertions.test.ts`),
  S37: shown(TWO_INSTALLATIONS),
  S39: shown(TWO_INSTALLATIONS),
  S42: shown(RACES, `${REGISTRY}/takeover.test.ts`),
  S44: shown(TWO_INSTALLATIONS),

  S46: shown(UNDER_WAY),
  S48: shown(UNDER_WAY, `${CLIENT}/late-pushes.test.ts`, FIREFOX, CHROMIUM),
  S49: shown(UNDER_WAY),
  S51: inPart('scheduling', 'What is due later is a retry here, not yet a schedule.', UNDER_WAY),
  S55: shown(UNDER_WAY),
  S56: inPart(
    'scheduling',
    'A message that is scheduled; one that waits for a worker and one that is retried end.',
    UNDER_WAY,
    `${REGISTRY}/erasure.test.ts`,
  ),
  S57: shown(RACES),
  S58: marked('read replica', 'There is none: every gate reads the primary.'),
  S59: shown('test/crash/worker-kill.test.ts'),
  S60: shown(UNDER_WAY, `${CLIENT}/late-pushes.test.ts`, FIREFOX),
  S61: shown(`${CLIENT}/logout.test.ts`, FIREFOX),
  S62: shown(UNDER_WAY, `${CLIENT}/late-pushes.test.ts`, FIREFOX, CHROMIUM),
  S63: marked('restore', 'Nothing knows yet that a database came out of a backup.'),
  S64: shown('test/crash/crash.test.ts'),
  S65: marked('in-app messages', 'There is nothing that a phone could fetch.'),

  S67: shown(LATE_FEEDBACK),
  S70: shown(LATE_FEEDBACK),
  S72: shown(LATE_FEEDBACK, RACES),
  S73: shown(LATE_FEEDBACK, 'test/scenarios/mass-death.test.ts'),

  S77: shown(BROWSERS, FIREFOX),
  S78: shown(BROWSERS, TABS, FIREFOX),
  S79: shown(BROWSERS, TABS, FIREFOX),
  S80: shown(BROWSERS, TABS, FIREFOX),
  S81: shown(BROWSERS, TABS, FIREFOX, 'packages/client/test/web/subscription.test.ts'),
  S82: shown(BROWSERS, TABS, FIREFOX),
  S83: shown(TABS, FIREFOX),

  S84: shown(SHARED_PHONE, `${CLIENT}/several-users.test.ts`),
  S86: shown(SHARED_PHONE, `${CLIENT}/several-users.test.ts`),
  S87: shown(SHARED_PHONE, `${CLIENT}/several-users.test.ts`),

  S89: shown(IDENTITY_EDGES),
  S90: inPart(
    'segments',
    "A campaign on Anna's tag, which no audience can name yet.",
    IDENTITY_EDGES,
  ),
  S91: shown(IDENTITY_EDGES),

  S92: shown('test/storm/storm.test.ts'),
} satisfies Readonly<Record<`S${number}`, CatalogueEntry>>;

function shown(...files: readonly string[]): CatalogueEntry {
  return { kind: 'shown', in: files };
}

function inPart(needs: Need, rest: string, ...files: readonly string[]): CatalogueEntry {
  return { kind: 'in_part', in: files, needs, rest };
}

function marked(needs: Need, rest: string): CatalogueEntry {
  return { kind: 'marked', needs, rest };
}
