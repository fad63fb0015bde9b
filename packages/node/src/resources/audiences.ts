import type { AudienceCreated, AudienceLine, AudienceReport } from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import type { Transport } from '../transport.ts';
import { uploadContent, type Lines } from '../upload-content.ts';

/** Lists of users and installations that notifications can name. */
export interface Audiences {
  /**
   * Uploads a list of up to a million lines, packed and as fast as the server takes it in, so
   * that memory does not grow with it. It exists whole or not at all. An array, or a function
   * that begins anew each time it is called, is sent again after an interruption; any other
   * iterable cannot be. What the iterable throws is thrown, and it is closed when the upload ends
   * before it does.
   */
  create(lines: Lines<AudienceLine>, options?: OnceOptions): Promise<AudienceCreated>;
  /** How many it names, and how long it is kept. */
  get(audienceId: string, options?: CallOptions): Promise<AudienceReport>;
}

/** As long as the server waits for an upload. */
const UPLOAD_MS = 15 * 60_000;

export function createAudiences(transport: Transport): Audiences {
  return {
    create(lines, options = {}) {
      const broken = new AbortController();
      const signals = options.signal === undefined ? [] : [options.signal];
      return transport.json('POST', ['audiences'], {
        content: uploadContent(lines, (error) => broken.abort(error)),
        options: { ...options, signal: AbortSignal.any([...signals, broken.signal]) },
        patienceMs: UPLOAD_MS,
      });
    },
    get: (id, options) => transport.json('GET', ['audiences', id], { options }),
  };
}
