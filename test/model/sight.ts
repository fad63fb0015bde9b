import type { Registry } from './registry.ts';

/** What can be seen of an installation, whether through the API or in the model. */
export interface Sight {
  readonly user: string | null;
  readonly token: string | null;
  readonly status: string | null;
  readonly seq: { readonly token: number | null; readonly user: number | null };
}

/** What is to be seen of each installation by the model; removed ones are not. */
export function sightsOf(registry: Registry): ReadonlyMap<string, Sight> {
  const sights = new Map<string, Sight>();
  for (const [name, { isRemoved, user, token, marks }] of registry.installations) {
    if (isRemoved) continue;
    sights.set(name, {
      user: user?.id ?? null,
      token: token?.value ?? null,
      status: token?.status ?? null,
      seq: { token: marks.token?.seq ?? null, user: marks.user?.seq ?? null },
    });
  }
  return sights;
}

export function sightInWords(sight: Sight | undefined): string {
  if (sight === undefined) return 'nothing at all';
  const { user, token, status, seq } = sight;
  const held = token === null ? 'no token' : `${token} (${status})`;
  return `${user ?? 'nobody'}, ${held}, seq ${seq.token ?? '-'} / ${seq.user ?? '-'}`;
}
