import type { Alert, ClosedAlert } from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import { eachOf, type PageOf, type PageSize } from '../paging.ts';
import type { Transport } from '../transport.ts';

export interface AlertFilter extends PageSize {
  /** Only those that are open, or only those that are closed. */
  readonly open?: boolean;
}

/** What a person should look at. */
export interface Alerts {
  /** Newest first. */
  list(filter?: AlertFilter, options?: CallOptions): AsyncGenerator<Alert>;
  /** Somebody has seen to it; closing a freeze lifts it. */
  close(alertId: string, options?: OnceOptions): Promise<ClosedAlert>;
}

export function createAlerts(transport: Transport): Alerts {
  return {
    list({ open, pageSize: limit } = {}, options) {
      return eachOf((after) => {
        const query = { open: open === undefined ? undefined : String(open), limit, after };
        return transport.json<PageOf<Alert>>('GET', ['alerts'], { query, options });
      });
    },
    close: (id, options) => transport.json('POST', ['alerts', id, 'close'], { options }),
  };
}
