import { Review } from '@homing/protocol';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import { listReviews } from '../../store/reviews.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { renderReview } from '../render-review.ts';
import type { HttpServer } from '../server.ts';

export interface ReviewListDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

const Answer = Type.Object({ data: Type.Array(Review) });

/** `GET /v1/reviews`: the newest first, each whole. */
export function reviewList(server: HttpServer, deps: ReviewListDependencies): void {
  server.get(
    '/v1/reviews',
    {
      schema: {
        response: { 200: Answer },
        summary: 'What clean-ups would do, or did; newest first',
        tags: ['reviews'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'installations:read');
      const reviews = await listReviews(deps.db, app.ref, LIMITS.reviewsListed);
      return { data: reviews.map(renderReview) };
    },
  );
}
