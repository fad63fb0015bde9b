import type { OutcomeScope } from '../../domain/outcome.ts';
import type { Reason } from '../reason.ts';

/** A row of which nothing heals: what is to be said about it, and what can be done. */
type Row = (meaning: string, fix: string) => Reason;

const report = 'report';

export const dead: Row = (meaning, fix) => ({ kind: 'token_dead', action: report, meaning, fix });
export const payload: Row = (meaning, fix) => ({ kind: 'payload', action: report, meaning, fix });

export const mismatch: Row = (meaning, fix) => ({
  kind: 'token_mismatch',
  action: report,
  meaning,
  fix,
});

export const transient: Row = (meaning, fix) => ({
  kind: 'transient',
  action: report,
  meaning,
  fix,
});

export const unclassified: Row = (meaning, fix) => ({
  kind: 'unclassified',
  action: report,
  meaning,
  fix,
});

/** At one push service: what others say of the same key is theirs to say. */
export const auth: Row = (meaning, fix) => ({
  kind: 'auth',
  scope: 'host',
  action: report,
  meaning,
  fix,
});

/** May as well be about one subscription; `RefusalStreak` tells. */
export const doubtfulAuth: Row = (meaning, fix) => ({
  kind: 'auth',
  scope: 'token',
  action: report,
  meaning,
  fix,
});

export function throttled(scope: OutcomeScope, meaning: string, fix: string): Reason {
  return { kind: 'throttled', scope, action: report, meaning, fix };
}

/** What can be done about answers that many rows share. */
export const FIXES = {
  nothing: 'Nothing: the browser subscribes anew when its page is opened.',
  wait: 'Nothing: Homing waits and tries again.',
  rebind:
    'Name the key with each subscription (application_server_key), or have pages subscribe anew.',
  key: 'Check the VAPID key and its subject, and that the clock of the server is right.',
  ours: 'Report it: Homing has built a request that the push service refuses.',
  shorten: 'Shorten the content or the data.',
} as const;
