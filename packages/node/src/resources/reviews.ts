import type { Review, ReviewApproval } from '@homing/protocol';
import type { CallOptions, OnceOptions } from '../call.ts';
import type { Transport } from '../transport.ts';

/** What a clean-up of silent installations would do, counted before it does anything. */
export interface Reviews {
  /** The newest first. */
  list(options?: CallOptions): Promise<readonly Review[]>;
  get(reviewId: string, options?: CallOptions): Promise<Review>;
  /** Counts now instead of at the end of the month. */
  create(options?: OnceOptions): Promise<Review>;
  /** Does what was found, if that still is what the approval repeats. */
  apply(reviewId: string, approval: ReviewApproval, options?: OnceOptions): Promise<Review>;
}

export function createReviews(transport: Transport): Reviews {
  return {
    async list(options) {
      const { data } = await transport.json<{ readonly data: readonly Review[] }>(
        'GET',
        ['reviews'],
        { options },
      );
      return data;
    },
    get: (id, options) => transport.json('GET', ['reviews', id], { options }),
    create: (options) => transport.json('POST', ['reviews'], { options }),
    apply: (id, approval, options) =>
      transport.json('POST', ['reviews', id, 'apply'], {
        json: approval,
        options,
      }),
  };
}
