import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { suggestTexts } from '../../../stores/postgres/search/suggestions.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import {
  compactAnswer,
  presentCompact,
  presentSearch,
  searchAnswer,
  searchQuery,
  semanticBody,
  suggestAnswer,
  suggestQuery,
} from '../../../contract/search.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { runSearch } from './search-request.ts';

/** `GET /search`, `POST /search/semantic`, `GET /search/suggest`: over everything that the asker may see. */
export function searchRoutes(dependencies: ApiDependencies): FastifyPluginCallbackZod {
  const { clock, tokens, database, indexOf } = dependencies;
  return (app, _options, done) => {
    app.get(
      '/search',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Search memories',
          querystring: searchQuery,
          response: { 200: z.union([searchAnswer, compactAnswer]), ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const started = performance.now();
        const { q, limit, offset, explain, format, as_of: asOf } = request.query;
        const result = await runSearch(dependencies, principalOf(request), request.query, {
          query: q,
          limit,
          offset,
          minScore: request.query.min_score,
          groupBySession: request.query.group_by === 'session',
          includeVectors: request.query.include_vectors && format === 'full',
          // "Last week" of a question about an earlier time is the week before that time.
          now: new Date(asOf ?? clock.now()),
        });
        if (format === 'compact') return presentCompact(result, (text) => tokens.count(text));
        return presentSearch(result, { question: q, explain, limit, offset, tookMs: performance.now() - started });
      },
    );
    app.post(
      '/search/semantic',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Search memories by meaning alone',
          body: semanticBody,
          response: { 200: searchAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const started = performance.now();
        const { q = '', vector, limit, explain } = request.body;
        const { embedder } = await indexOf(principalOf(request).tenantId);
        if (vector !== undefined && vector.length !== embedder.dimension)
          throw new ApiError('VALIDATION_FAILED', 'the request is not valid', [
            {
              field: 'vector',
              message: `must have ${embedder.dimension} numbers, as ${embedder.model} gives`,
            },
          ]);
        const result = await runSearch(dependencies, principalOf(request), request.body, {
          query: q,
          limit,
          offset: 0,
          minScore: 0,
          groupBySession: false,
          vectorOnly: true,
          includeVectors: request.body.include_vectors,
          ...(vector && { vector: Float32Array.from(vector) }),
        });
        return presentSearch(result, { question: q, explain, limit, offset: 0, tookMs: performance.now() - started });
      },
    );
    app.get(
      '/search/suggest',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Complete what is being typed',
          querystring: suggestQuery,
          response: { 200: suggestAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { q, project, namespace, limit } = request.query;
        const { tenantId } = principalOf(request);
        const known =
          project === undefined
            ? undefined
            : await database.asTenant(tenantId, (transaction) => findProject(transaction, project));
        if (known === null) return { data: [] };
        const query = { typed: q, limit, projectId: known?.id, namespace };
        return { data: await suggestTexts(database.pool, tenantId, query) };
      },
    );
    done();
  };
}
