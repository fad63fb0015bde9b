import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../packages/server/src/store/sql.ts';
import { installationIdOf } from '../site/population.ts';
import type { PlannedRequest } from './traffic.ts';
import { WRK_THREADS } from './wrk.ts';

/** What an installation's answer, or its row, says about it. */
interface Standing {
  readonly token: number | null;
  readonly user: number | null;
  readonly device: number | null;
  readonly userId: string | null;
}

/** The part of an answer to a packet that is compared. */
interface Answer {
  readonly installation: {
    readonly id: string;
    readonly user: { readonly id: string } | null;
    readonly seq: Readonly<Record<'token' | 'user' | 'device', number | null>>;
  };
}

const SAMPLE = 1_000;

/**
 * Compares acknowledged packets with the rows as they are now: what an installation was last told
 * is what is stored. Looks at up to a thousand installations, and returns how many. Throws at the
 * first that differs.
 */
export async function checkAnswers(
  db: Database,
  directory: string,
  sent: readonly PlannedRequest[],
): Promise<number> {
  const answers = await readAnswers(directory);
  const sample = sampleOf(sent).flatMap((id) => {
    const standing = answers.get(id);
    return standing === undefined ? [] : [{ id, standing }];
  });
  const stored = await readStored(
    db,
    sample.map(({ id }) => id),
  );
  for (const { id, standing } of sample) assert.deepEqual(stored.get(id), standing, id);
  assert(sample.length > 0, 'no answer could be compared');
  return sample.length;
}

/** A logout's answer names nobody, so that only who changed once, and not by one, is compared. */
function sampleOf(sent: readonly PlannedRequest[]): readonly string[] {
  const changed = sent.filter(({ kind }) => kind !== 'check_in');
  const times = new Map<number, number>();
  for (const { number } of changed) times.set(number, (times.get(number) ?? 0) + 1);
  const usable = changed.filter(({ number, kind }) => kind !== 'logout' && times.get(number) === 1);
  const every = Math.max(1, Math.floor(usable.length / SAMPLE));
  return usable
    .filter((_, index) => index % every === 0)
    .slice(0, SAMPLE)
    .map(({ number }) => installationIdOf(number));
}

async function readAnswers(directory: string): Promise<ReadonlyMap<string, Standing>> {
  const answers = new Map<string, Standing>();
  for (let thread = 0; thread < WRK_THREADS; thread += 1) {
    const text = await readFile(join(directory, `answers-${thread}`), 'utf8');
    for (const line of text.split('\n')) {
      const body = line.slice(line.indexOf(' ') + 1);
      if (body === '') continue;
      const { installation } = JSON.parse(body) as Answer;
      const { token, user, device } = installation.seq;
      const userId = installation.user?.id ?? null;
      answers.set(installation.id, { token, user, device, userId });
    }
  }
  return answers;
}

async function readStored(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await db<(Standing & { readonly id: string })[]>`
    select installation.id, token_seq as token, user_seq as user, device_seq as device,
      app_user.id as "userId"
    from installation
      left join link on link.installation_ref = installation.installation_ref and ended_at is null
      left join app_user using (user_ref)
    where installation.id = any(${[...ids]}::uuid[])
  `;
  return new Map(rows.map(({ id, ...standing }) => [id, standing]));
}
