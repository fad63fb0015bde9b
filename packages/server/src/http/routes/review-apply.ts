import { Review, ReviewApproval } from '@homing/protocol';
import { parseTypedId } from '../../domain/typed-id.ts';
import { applyReview } from '../../registry/review.ts';
import type { Database } from '../../store/sql.ts';
import { ApiError, notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { ReviewPath } from '../parameters.ts';
import { renderReview } from '../render-review.ts';
import type { HttpServer } from '../server.ts';

export interface ReviewApplyDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  /** Called once there is something to apply. */
  readonly wakeMaintenance: () => void;
}

/** `POST /v1/reviews/{id}/apply`: repeats the totals, so that nobody applies what nobody saw. */
export function reviewApply(server: HttpServer, deps: ReviewApplyDependencies): void {
  server.post(
    '/v1/reviews/:review_id/apply',
    {
      schema: {
        params: ReviewPath,
        body: ReviewApproval,
        response: { 202: Review },
        summary: 'Do what a review found, by repeating what it found',
        tags: ['reviews'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.backEndWriter(request, 'installations:write');
      const id = parseTypedId('rev', request.params.review_id);
      if (id === null) throw notFound('review');
      const { dormant = null, purge = null } = request.body;
      const answer = await replyOnce(deps.db, context.app.ref, request, reply, async (tx) => {
        const result = await applyReview(tx, context, id, { dormant, purge });
        if (result.kind === 'not_found') throw notFound('review');
        const review = renderReview(result.review);
        if (result.kind === 'applying') return { status: 202, body: review };
        const detail = 'look at `review`, the newest one, and repeat its totals once it is open';
        throw new ApiError('review_changed', detail, { members: { review } });
      });
      deps.wakeMaintenance();
      return answer;
    },
  );
}
