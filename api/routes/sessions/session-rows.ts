import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Principal } from '../../../stores/postgres/access/api-keys.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { findSessionId } from '../../../stores/postgres/sessions/sessions.ts';
import { listObservations, listPrompts } from '../../../stores/postgres/sessions/session-timeline.ts';
import { principalOf, seekerOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { observationSchema, presentObservation, presentPrompt, promptSchema } from '../../../contract/session-rows.ts';
import { ERROR_RESPONSES, pageQuery, paginationOf, paginationSchema } from '../../../contract/shared.ts';
import { sessionParams } from './sessions.ts';
import { flag } from '../../../contract/query.ts';
import { text } from '../../../contract/text.ts';

const timelineQuery = {
  ...pageQuery,
  agent: text(256).optional().describe('Of this sub-agent alone'),
};

async function sessionIdOf(transaction: TenantTransaction, holder: Principal, given: string): Promise<string> {
  const id = await findSessionId(transaction, given, seekerOf(holder));
  if (id === null) throw new ApiError('NOT_FOUND', 'there is no such session');
  return id;
}

/** `GET /sessions/:id/prompts` and `/observations`: what was captured of a session, for its owner and admins. */
export function sessionRowRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/sessions/:id/prompts',
      {
        config: { access: 'read' },
        schema: {
          tags: ['sessions'],
          summary: 'Messages of a session, in order',
          params: sessionParams,
          querystring: z.strictObject(timelineQuery),
          response: {
            200: z.object({ data: z.array(promptSchema), pagination: paginationSchema }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { page, limit, agent } = request.query;
        const { rows, total } = await database.asTenant(holder.tenantId, async (transaction) =>
          listPrompts(transaction, {
            sessionId: await sessionIdOf(transaction, holder, request.params.id),
            viewerId: viewerOf(holder),
            agentId: agent,
            page,
            limit,
          }),
        );
        return { data: rows.map(presentPrompt), pagination: paginationOf(page, limit, total) };
      },
    );
    app.get(
      '/sessions/:id/observations',
      {
        config: { access: 'read' },
        schema: {
          tags: ['sessions'],
          summary: 'Captured events of a session, in order',
          params: sessionParams,
          querystring: z.strictObject({ ...timelineQuery, full: flag().prefault(false) }),
          response: {
            200: z.object({ data: z.array(observationSchema), pagination: paginationSchema }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { page, limit, agent, full } = request.query;
        const { rows, total } = await database.asTenant(holder.tenantId, async (transaction) =>
          listObservations(transaction, {
            sessionId: await sessionIdOf(transaction, holder, request.params.id),
            viewerId: viewerOf(holder),
            agentId: agent,
            page,
            limit,
            full,
          }),
        );
        return { data: rows.map(presentObservation), pagination: paginationOf(page, limit, total) };
      },
    );
    done();
  };
}
