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
            'Deletes the rows and vectors of the event and everything that quotes it, and summarises its windows again. A repeated delivery of the event is rejected with EVENT_FORGOTTEN.',
          params: z.object({ key: eventKey }),
          querystring: z.strictObject({ session: sessionName, dry_run: dryRun }),
          response: { 200: forgottenSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { session, dry_run: isDryRun } = request.query;
        const { event, forgotten } = await forgetting.event(principal, {
          given: request.params.key,
          session,
          isDryRun,
        });
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
          description: 'Hides the session at once, deletes its content, and rejects later events of it.',
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
