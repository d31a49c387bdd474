import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import type { RecallFilter } from '../../domain/ports/vector-index.ts';
import type { SearchResult } from '../../retrieval/search.ts';
import { findProject } from '../../stores/postgres/projects.ts';
import type { ProjectName } from '../../stores/postgres/projects.ts';
import { holderOf, viewerOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { memorySchema, presentFound } from '../schemas/memory.ts';
import { ERROR_RESPONSES, namespaceName, paginationOf, paginationSchema, timestamp } from '../schemas/shared.ts';

const MAX_OFFSET = 1_000;

/** One value, or several joined by commas. */
function listOf<Item>(item: z.ZodType<Item, string>) {
  return z
    .string()
    .max(512)
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1).max(16));
}

const searchQuery = z.strictObject({
  q: z.string().trim().min(1).max(500),
  type: listOf(z.enum(MEMORY_TYPES)).optional(),
  project: z.string().min(1).max(2048).optional().describe('Id, git remote, root path or name'),
  namespace: namespaceName.optional(),
  tags: listOf(z.string().min(1).max(64)).optional(),
  tool: z.string().min(1).max(256).optional(),
  kind: z.string().min(1).max(64).optional(),
  since: timestamp.optional(),
  until: timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(50).default(20),
  offset: z.coerce.number().int().min(0).max(MAX_OFFSET).default(0),
  min_score: z.coerce.number().min(0).max(1).default(0),
  group_by: z.enum(['none', 'session']).default('none'),
  explain: z.stringbool().default(false),
});

const facet = z.record(z.string(), z.number().int());

const searchAnswer = z
  .object({
    data: z.array(memorySchema),
    facets: z.object({ type: facet, tool: facet, project: facet, tag: facet }),
    degraded: z.array(z.enum(['vector'])),
    took_ms: z.number(),
    pagination: paginationSchema,
  })
  .meta({ id: 'SearchAnswer' });

const NOTHING: SearchResult = {
  found: [],
  total: 0,
  facets: { type: {}, tool: {}, project: {}, tag: {} },
  degraded: [],
};

/** Only what was asked for: a filter that is absent must not become one that is undefined. */
function filterOf(
  query: z.output<typeof searchQuery>,
  project: ProjectName | null | undefined,
  viewerId: string | undefined,
): RecallFilter {
  const { type, namespace, tags, tool, kind, since, until } = query;
  return {
    ...(type && { types: type }),
    ...(namespace && { namespace }),
    ...(tags && { tags }),
    ...(tool && { tool }),
    ...(kind && { kind }),
    ...(since && { since }),
    ...(until && { until }),
    ...(project && { projectId: project.id, formerProjectIds: project.formerIds }),
    ...(viewerId && { viewerId }),
  };
}

/** `GET /search`: hybrid search over everything that the asker may see. */
export function searchRoutes({ recall, database, metrics }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/search',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Search memories',
          querystring: searchQuery,
          response: { 200: searchAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const started = performance.now();
        const holder = holderOf(request);
        const { q, project, limit, offset, min_score: minScore, group_by: groupBy, explain } = request.query;
        const known =
          project === undefined
            ? undefined
            : await database.asTenant(holder.tenantId, (transaction) => findProject(transaction, project));
        const filter = filterOf(request.query, known, viewerOf(holder));
        // A project that nobody knows holds nothing: the search is answered, with nothing.
        const result =
          known === null
            ? NOTHING
            : await recall.search({
                tenantId: holder.tenantId,
                question: q,
                filter,
                limit,
                offset,
                minScore,
                groupBySession: groupBy === 'session',
              });
        metrics.searches.inc({ degraded: result.degraded.join(',') || 'none' });
        return {
          data: result.found.map((found) => presentFound(found, q, explain)),
          facets: result.facets,
          degraded: [...result.degraded],
          took_ms: Math.round((performance.now() - started) * 100) / 100,
          pagination: paginationOf(Math.floor(offset / limit) + 1, limit, result.total),
        };
      },
    );
    done();
  };
}
