import type { Finding, Verification } from '../domain/verification.ts';
import { areClocksApart } from './clock-difference.ts';

/** Characters of what a stranger said that are passed on. */
const MAX_ANSWER = 300;

/** A row of a provider's findings; docs/providers shows the same table. */
export type FindingRow = Pick<Finding, 'weight' | 'field' | 'meaning' | 'fix'>;
export type FindingTable = Readonly<Record<string, FindingRow>>;

/** What any provider can be found with. */
export const SHARED_FINDINGS = {
  clock_wrong: {
    weight: 'wrong',
    field: null,
    meaning: 'the provider refuses what this machine signs, because its clock is wrong',
    fix: 'Set the clock of this machine by NTP.',
  },
  clock_differs: {
    weight: 'notice',
    field: null,
    meaning: 'the clock of this machine and the provider differ by more than 30 seconds',
    fix: 'Set the clock of this machine by NTP.',
  },
  unreachable: {
    weight: 'unclear',
    field: null,
    meaning: 'the provider cannot be reached, or does not answer',
    fix: 'Let this machine reach the provider: name resolution, firewall, proxy.',
  },
  provider_busy: {
    weight: 'unclear',
    field: null,
    meaning: 'the provider has trouble of its own, or wants to be asked later',
    fix: 'Verify again in a while.',
  },
  unexpected_answer: {
    weight: 'unclear',
    field: null,
    meaning: 'the provider gave an answer that says nothing about the credential',
    fix: 'Look the answer up in the documentation of the provider.',
  },
} as const satisfies FindingTable;

/** A finding by its row; `about` names which of several topics or environments is meant. */
export function findingOf(
  code: string,
  row: FindingRow,
  { answer = null, about = null }: { answer?: string | null; about?: string | null } = {},
): Finding {
  const meaning = about === null ? row.meaning : `${row.meaning} (${about})`;
  return { ...row, code, meaning, answer: answer === null ? null : answer.slice(0, MAX_ANSWER) };
}

/** What an asked provider comes to; clocks apart are mentioned unless that is a finding already. */
export function verificationOf(found: readonly Finding[], aheadMs: number | null): Verification {
  const isKnown = found.some(({ code }) => code === 'clock_wrong');
  const isNew = !isKnown && areClocksApart(aheadMs);
  const findings = isNew ? [...found, clocksDiffer(aheadMs)] : found;
  return { wasAsked: true, findings, clockAheadMs: aheadMs };
}

function clocksDiffer(aheadMs: number | null): Finding {
  const answer = `${(aheadMs ?? 0) / 1_000} s ahead`;
  return findingOf('clock_differs', SHARED_FINDINGS.clock_differs, { answer });
}
