import { Review } from '@homing/protocol';
import { requestReview } from '../../registry/review.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { renderReview } from '../render-review.ts';
import type { HttpServer } from '../server.ts';

export interface ReviewCreateDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  /** Called once there is something to count. */
  readonly wakeMaintenance: () => void;
}

/** `POST /v1/reviews`: counts now instead of at the end of the month; changes no installation. */
export function reviewCreate(server: HttpServer, deps: ReviewCreateDependencies): void {
  server.post(
    '/v1/reviews',
    {
      schema: {
        response: { 202: Review },
        summary: 'Count now what a clean-up would do',
        tags: ['reviews'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.backEndWriter(request, 'installations:write');
      const answer = await replyOnce(deps.db, context.app.ref, request, reply, async (tx) => {
        const review = await requestReview(tx, context);
        return { status: 202, body: renderReview(review) };
      });
      deps.wakeMaintenance();
      return answer;
    },
  );
}
