import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { LEARNING_CATEGORIES } from '../../domain/ports/model.ts';
import { listLearnings } from '../../stores/postgres/derived.ts';
import { findProject } from '../../stores/postgres/projects.ts';
import { findSessionId } from '../../stores/postgres/sessions.ts';
import { holderOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { learningSchema, presentLearning } from '../schemas/derived.ts';
import { ERROR_RESPONSES, pageQuery, paginationOf, paginationSchema } from '../schemas/shared.ts';

/** `GET /learnings`: what holds today, with its evidence. */
export function learningRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/learnings',
      {
        config: { access: 'read' },
        schema: {
          tags: ['learnings'],
          summary: 'List learnings',
          querystring: z.strictObject({
            ...pageQuery,
            session: z
              .string()
              .min(1)
              .max(512)
              .optional()
              .describe('Own id, or host:external id, of a session that shows it'),
            project: z.string().min(1).max(2048).optional(),
            category: z.enum(LEARNING_CATEGORIES).optional(),
            tag: z.string().min(1).max(64).optional(),
            sort: z.enum(['confidence', 'recency', 'popularity']).default('confidence'),
          }),
          response: {
            200: z.object({ data: z.array(learningSchema), pagination: paginationSchema }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const { page, limit, session, project, category, tag, sort } = request.query;
        const { rows, total } = await database.asTenant(holderOf(request).tenantId, async (transaction) => {
          const knownProject = project === undefined ? undefined : await findProject(transaction, project);
          const knownSession = session === undefined ? undefined : await findSessionId(transaction, session);
          if (knownProject === null || knownSession === null) return { rows: [], total: 0 };
          return listLearnings(
            transaction,
            { sessionId: knownSession, projectId: knownProject?.id, category, tag },
            sort,
            page,
            limit,
          );
        });
        return { data: rows.map(presentLearning), pagination: paginationOf(page, limit, total) };
      },
    );
    done();
  };
}
