import type { Registry } from './registry.ts';

/** What can be seen of an installation, whether through the API or in the model. */
export interface Sight {
  /** In the order of the alphabet. */
  readonly users: readonly string[];
  readonly token: string | null;
  readonly status: string | null;
  readonly seq: { readonly token: number | null; readonly user: number | null };
}

/** What is to be seen of each installation by the model; removed ones are not. */
export function sightsOf(registry: Registry): ReadonlyMap<string, Sight> {
  const sights = new Map<string, Sight>();
  for (const [name, { isRemoved, users, token, marks }] of registry.installations) {
    if (isRemoved) continue;
    sights.set(name, {
      users: users.map(({ id }) => id).toSorted(),
      token: token?.value ?? null,
      status: token?.status ?? null,
      seq: { token: marks.token?.seq ?? null, user: marks.user?.seq ?? null },
    });
  }
  return sights;
}

export function sightInWords(sight: Sight | undefined): string {
  if (sight === undefined) return 'nothing at all';
  const { users, token, status, seq } = sight;
  const held = token === null ? 'no token' : `${token} (${status})`;
  return `${users.join(' and ') || 'nobody'}, ${held}, seq ${seq.token ?? '-'} / ${seq.user ?? '-'}`;
}
