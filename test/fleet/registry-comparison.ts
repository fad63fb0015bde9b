import { untilAnswered } from '../crash/until-answered.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Network } from '../network.ts';
import { holdersOf } from '../races/token-claim.ts';
import { someAtOnce } from '../some-at-once.ts';
import type { RegistryBook } from '../storm/registry-book.ts';
import type { FleetPhone } from './fleet-phone.ts';
import type { PushChannel } from './push-channel.ts';
import type { Violations } from './violations.ts';

export interface RegistryComparison {
  readonly network: Network;
  readonly phones: readonly FleetPhone[];
  readonly book: RegistryBook;
  readonly channel: PushChannel;
  readonly violations: Violations;
}

const WIDTH = 16;

/**
 * Holds the registry against what each phone wants, each token that there ever was against its
 * phone, and each installation that was given up against what it said last.
 */
export async function compareRegistry(comparison: RegistryComparison): Promise<void> {
  const { phones, book, channel } = comparison;
  const ids = await someAtOnce(phones.length, WIDTH, (index) =>
    comparePhone(comparison, phones[index]),
  );
  const current = new Set(ids);
  const former = book.installations.filter((id) => !current.has(id));
  await someAtOnce(former.length, WIDTH, (index) => compareFormer(comparison, former[index]));
  const holders = new Map(
    phones.map((phone, index) => [phone.wanted.token?.value, ids[index] ?? null]),
  );
  const tokens = [...channel.owners.keys()];
  await someAtOnce(tokens.length, WIDTH, async (index) => {
    const value = tokens[index] ?? '';
    await compareToken(comparison, value, holders.get(value) ?? null, current);
  });
}

/** The id of the phone's installation. */
async function comparePhone(
  { network, violations }: RegistryComparison,
  phone: FleetPhone | undefined,
): Promise<string | null> {
  if (phone === undefined) return null;
  const { app, diary, wanted } = phone;
  const id = await app.installationId();
  const { body } = await untilAnswered(() => network.backEnd.get(`/v1/installations/${id}`));
  const held = {
    userId: body['user']?.['id'] ?? null,
    token: body['token']?.['masked'] ?? null,
    status: body['token']?.['status'] ?? 'live',
    permission: body['permission'],
  };
  const token = wanted.token === null ? null : fingerprint(wanted.token);
  const expected = { ...wanted, token, status: 'live' };
  for (const [name, value] of Object.entries(expected)) {
    const other: unknown = held[name as keyof typeof held];
    if (other === value) continue;
    violations.add(diary, `${name} in the registry is ${String(other)}, not ${String(value)}`);
  }
  const differences = await app.differences();
  if (differences.length > 0) violations.add(diary, `its own check: ${differences.join()}`);
  return id;
}

/** Whom an app left signed in when it was deleted is signed in, unless it came out otherwise. */
async function compareFormer(
  { network, book, violations, phones }: RegistryComparison,
  id: string | undefined,
): Promise<void> {
  if (id === undefined) return;
  const possible = book.possible(id, 'user');
  const answer = await untilAnswered(() => network.backEnd.get(`/v1/installations/${id}`));
  const { user } = answer.body;
  const userId = (user?.['id'] ?? null) as string | null;
  const isSuperseded = userId === null;
  if (possible.includes(userId) || isSuperseded) return;
  const phone = phones.find(({ diary }) => diary.text.includes(id.slice(0, 4))) ?? phones[0];
  if (phone === undefined) return;
  violations.add(phone.diary, `former ${id}: ${userId} is none of ${possible.join()}`);
}

/** At most its phone's installation has it, or one that was given up together with it. */
async function compareToken(
  { network, channel, violations, phones }: RegistryComparison,
  value: string,
  holder: string | null,
  current: ReadonlySet<string | null>,
): Promise<void> {
  const ids = (await holdersOf(network, { provider: 'apns', value })).map(({ id }) => id);
  const isRight =
    holder === null ? ids.every((id) => !current.has(id)) : ids.length === 1 && ids[0] === holder;
  if (isRight) return;
  const phone = phones.find(({ handset }) => handset === channel.owners.get(value));
  if (phone === undefined) return;
  violations.add(phone.diary, `token ${value.slice(0, 8)} is held by ${ids.join()}`);
}
