import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { createForgetting } from '../../memories/forgetting.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { sessionParams } from '../../../contract/sessions.ts';
import { eventKey, sessionName } from '../../../contract/trace.ts';
import { dryRun, forgottenSchema } from '../../../contract/memory.ts';

/** `DELETE /events/:key` and `DELETE /sessions/:id`: forgetting, so that no spool, transcript or restore brings it back. */
export function forgetRoutes(dependencies: ApiDependencies): FastifyPluginCallbackZod {
  const forgetting = createForgetting(dependencies);
  return (app, _options, done) => {
    app.delete(
      '/events/:key',
      {
        config: { access: 'write' },
        schema: {
          tags: ['capture'],
          summary: 'Forget one event',
          description:
            'Its rows, its vectors and what quotes it go; its windows are summarised anew. Sending it again is answered EVENT_FORGOTTEN.',
          params: z.object({ key: eventKey }),
          querystring: z.strictObject({ session: sessionName, dry_run: dryRun }),
          response: { 200: forgottenSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { session, dry_run: isDryRun } = request.query;
        const { event, forgotten } = await forgetting.event(holder, { given: request.params.key, session, isDryRun });
        return { dry_run: isDryRun, session_id: event.sessionId, key: event.key, forgotten };
      },
    );

    app.delete(
      '/sessions/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['sessions'],
          summary: 'Forget a session',
          description: 'It is hidden at once, what it said is deleted, and nothing of it is captured again.',
          params: sessionParams,
          querystring: z.strictObject({ dry_run: dryRun }),
          response: { 200: forgottenSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { dry_run: isDryRun } = request.query;
        const { sessionId, forgotten } = await forgetting.session(principalOf(request), request.params.id, isDryRun);
        return { dry_run: isDryRun, session_id: sessionId, key: null, forgotten };
      },
    );
    done();
  };
}
