import type { SeededRandom } from '../seeded-random.ts';

/** What may happen to a phone. */
export type Deed =
  | 'log_in'
  | 'log_out'
  | 'switch_twice'
  | 'renew_token'
  | 'kill'
  | 'kill_amid_a_call'
  | 'lose_network'
  | 'change_permission'
  | 'unsubscribe'
  | 'subscribe'
  | 'tag'
  | 'look'
  | 'reinstall'
  | 'restore'
  | 'copy';

/** How often each happens beside the others. */
export type Habits = Readonly<Partial<Record<Deed, number>>>;

export const RESTLESS: Habits = {
  log_in: 24,
  log_out: 12,
  switch_twice: 6,
  renew_token: 14,
  kill: 8,
  kill_amid_a_call: 6,
  lose_network: 8,
  change_permission: 5,
  unsubscribe: 2,
  subscribe: 4,
  tag: 4,
  look: 6,
  reinstall: 2,
  restore: 2,
  copy: 2,
};

/** Of somebody who stays signed in throughout, under one token. */
export const STEADY: Habits = { kill: 4, lose_network: 4, look: 2 };

export function chooseDeed(random: SeededRandom, habits: Habits): Deed {
  const entries = Object.entries(habits) as readonly (readonly [Deed, number])[];
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  let lot = random.next() * sum;
  for (const [deed, weight] of entries) {
    lot -= weight;
    if (lot < 0) return deed;
  }
  throw new Error('There is nothing to choose from.');
}
