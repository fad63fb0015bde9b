import type { ProviderEndpoints } from '@homing/server';

/** What the process of the simulators is started with. */
export interface RefereeSetting {
  readonly identityFile: string;
  readonly logFile: string;
}

/** Sent once, when they listen. */
export interface RefereeReply {
  readonly endpoints: ProviderEndpoints;
}

/** A push that a provider took: a line of the log. */
export interface TakenPush {
  readonly atMs: number;
  readonly token: string;
  /** The same for each attempt; on APNs it is the `apns-id`. */
  readonly id: string;
  readonly collapseId: string;
}

/** A line of the log; none of its fields has a space. */
export function renderTakenPush({ atMs, token, id, collapseId }: TakenPush): string {
  return `${atMs} ${token} ${id} ${collapseId}\n`;
}

/** The push that a line of the log tells of. */
export function parseTakenPush(line: string): TakenPush {
  const [atMs = '', token = '', id = '', collapseId = ''] = line.split(' ');
  return { atMs: Number(atMs), token, id, collapseId };
}
