import { Review } from '@homing/protocol';
import { parseTypedId } from '../../domain/typed-id.ts';
import { findReview } from '../../store/reviews.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { ReviewPath } from '../parameters.ts';
import { renderReview } from '../render-review.ts';
import type { HttpServer } from '../server.ts';

export interface ReviewGetDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `GET /v1/reviews/{id}`: what was found, and how far applying it has come. */
export function reviewGet(server: HttpServer, deps: ReviewGetDependencies): void {
  server.get(
    '/v1/reviews/:review_id',
    {
      schema: {
        params: ReviewPath,
        response: { 200: Review },
        summary: 'What a clean-up would do, and how far it has come',
        tags: ['reviews'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'installations:read');
      const id = parseTypedId('rev', request.params.review_id);
      const review = id === null ? null : await findReview(deps.db, app.ref, id);
      if (review === null) throw notFound('review');
      return renderReview(review);
    },
  );
}
