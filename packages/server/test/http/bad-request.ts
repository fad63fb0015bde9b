import type { ErrorCode } from '@homing/protocol';

/** A request that has to be refused without any effect. */
export interface BadRequest {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  /** Whose credentials go with it; what is wrong is never the credentials. */
  readonly as: 'client' | 'back_end';
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes go as they are, everything else as JSON. */
  readonly body?: unknown;
  readonly code: ErrorCode;
  /** The field that the answer has to name. */
  readonly pointer?: string;
}

/** What exists already when the bad requests come. */
export interface Places {
  /** Path of an installation that is signed in. */
  readonly installation: string;
  readonly installationId: string;
  /** Path of a notification. */
  readonly notification: string;
  /** A valid token that nobody holds; it may appear in no answer and no log line. */
  readonly token: string;
}

/**
 * Ids that a program makes by mistake; each would be one pseudo user for many people (S89). The
 * last two are ids that no path can name.
 */
export const MISTAKEN_USER_IDS: readonly string[] = [
  '',
  ' ',
  '\t\n',
  'null',
  'undefined',
  '0',
  'NaN',
  '[object Object]',
  'x'.repeat(300),
  'x'.repeat(256),
  '.',
  '..',
];

export function invalid(
  title: string,
  request: Omit<BadRequest, 'title' | 'code'>,
): BadRequest & { readonly code: 'validation_failed' } {
  return { title, ...request, code: 'validation_failed' };
}
