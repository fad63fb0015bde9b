import type { Reason } from '@homing/protocol';
import type { CallOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

export interface ReasonFilter {
  /** `apns`, `fcm`, `webpush`, `expo`, `hms`, or `homing` for what happens on our side. */
  readonly provider?: string;
}

/** What the answers of providers mean, and what to do about them. */
export interface Reasons {
  list(filter?: ReasonFilter, options?: CallOptions): Promise<readonly Reason[]>;
}

export function createReasons(transport: Transport): Reasons {
  return {
    async list({ provider } = {}, options) {
      const { data } = await transport.json<{ readonly data: readonly Reason[] }>(
        'GET',
        ['reasons'],
        { query: { provider }, options },
      );
      return data;
    },
  };
}
