import { projectOf } from '../../subjects.ts';
import { z } from 'zod';
import { suggestTexts } from '../../../stores/postgres/search/suggestions.ts';
import { withinBounds } from '../../bounds.ts';
import { principalOf, viewerOf, route } from '../../auth.ts';
import { degradedLabel } from '../../../telemetry/api-metrics.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import {
  compactAnswer,
  searchAnswer,
  searchQuery,
  semanticBody,
  suggestAnswer,
  suggestQuery,
} from '../../../contract/search.ts';
import type { SearchFilter, understoodSchema } from '../../../contract/search.ts';
import { VALUE_FILTERS } from '../../../domain/search-names.ts';
import type { CountTokens } from '../../../domain/compact.ts';
import type { RecallFilter } from '../../../domain/ports/vector-index.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { SearchRequest, SearchResult, TracedMemory } from '../../../retrieval/search-types.ts';
import { compactMemory } from '../../../domain/compact.ts';
import { highlightsOf } from '../../../domain/highlight.ts';
import type { explainSchema, memorySchema } from '../../../contract/memory.ts';
import { paginationOf } from '../../http/paging.ts';
import { presentMemory } from '../../memories/memory-lookup.ts';

function presentExplain({ retrievers, parts, stages, inTime }: TracedMemory): z.output<typeof explainSchema> {
  const { keyword, vector, recency = null } = retrievers;
  return {
    keyword,
    vector,
    recency,
    parts: { retrievers: parts.fused, kind: parts.prior, session: parts.session },
    ...stages,
    in_time_range: inTime,
  };
}

/** Returns a search result with highlighted query words; `explain` adds the scores of retrievers and stages. */
export function presentFound(found: TracedMemory, question: string, explain: boolean): z.output<typeof memorySchema> {
  const { memory } = found;
  return {
    ...presentMemory(memory),
    score: found.score,
    highlights: highlightsOf(memory, question),
    ...(explain ? { explain: presentExplain(found) } : {}),
    ...(found.vector === undefined ? {} : { vector: found.vector === null ? null : [...found.vector] }),
  };
}

const rounded = (ms: number) => Math.round(ms * 100) / 100;

/** Returns the understood query without empty fields. */
function presentUnderstood(understood: SearchResult['understood']): z.output<typeof understoodSchema> | null {
  if (understood === null) return null;
  const { text, phrases, fields, time, newest, names, language } = understood;
  const { types, values, project, tags, files, since, until } = fields;
  return {
    text,
    phrases: [...phrases],
    fields: {
      ...(types.length > 0 && { type: [...types] }),
      ...values,
      ...(project !== null && { project }),
      ...(tags.length > 0 && { tag: [...tags] }),
      ...(files.length > 0 && { file: [...files] }),
      ...(since !== null && { since: since.toISOString() }),
      ...(until !== null && { until: until.toISOString() }),
    },
    time: time && {
      since: time.since?.toISOString() ?? null,
      until: time.until?.toISOString() ?? null,
      words: [...time.words],
    },
    newest,
    names: [...names],
    language,
  };
}

export interface ShownSearch {
  readonly question: string;
  readonly explain: boolean;
  readonly limit: number;
  readonly offset: number;
  readonly tookMs: number;
}

/** The full answer of a search. */
export function presentSearch(result: SearchResult, shown: ShownSearch): z.output<typeof searchAnswer> {
  return {
    // Fields are no words of the text: of what was taken apart the words alone are marked.
    data: result.found.map((found) => presentFound(found, result.understood?.text ?? shown.question, shown.explain)),
    nothing_fits: result.nothingFits,
    facets: result.facets,
    degraded: [...result.degraded],
    took_ms: rounded(shown.tookMs),
    ...(shown.explain && {
      explain: {
        understood: presentUnderstood(result.understood),
        stages: result.stages.map(({ stage, tookMs }) => ({ stage, took_ms: rounded(tookMs) })),
      },
    }),
    pagination: paginationOf(Math.floor(shown.offset / shown.limit) + 1, shown.limit, result.total),
  };
}

/** The short answer of a search: nothing that an agent does not need to choose. */
export function presentCompact(result: SearchResult, count: CountTokens): z.output<typeof compactAnswer> {
  return {
    data: result.found.map(({ memory, score }) => {
      const compact = compactMemory(memory, score, count);
      return { ...compact, tags: [...compact.tags] };
    }),
    ...(result.nothingFits && { nothing_fits: true }),
    ...(result.degraded.length > 0 && { degraded: [...result.degraded] }),
  };
}

const NOTHING: SearchResult = {
  found: [],
  total: 0,
  facets: { type: {}, tool: {}, project: {}, tag: {} },
  nothingFits: false,
  degraded: [],
  understood: null,
  stages: [],
};

/** Returns only the requested filters: an absent filter must not become an undefined one. */
function filterOf(given: SearchFilter, viewerId: string | undefined): RecallFilter {
  const { type, namespace, tags, since, until, as_of: asOf } = given;
  return {
    ...Object.fromEntries(VALUE_FILTERS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]))),
    ...(type && { types: type }),
    ...(namespace && { namespace }),
    ...(tags && { tags }),
    ...(since && { since }),
    ...(until && { until }),
    ...(asOf && { asOf }),
    ...(viewerId && { viewerId }),
  };
}

/** Runs a search with the filters of the request. Returns no results for an unknown project. */
export async function runSearch(
  { recall, database, metrics }: ApiDependencies,
  principal: Principal,
  requested: SearchFilter,
  request: Omit<SearchRequest, 'tenantId' | 'bounds' | 'filter'>,
): Promise<SearchResult> {
  const { tenantId, bounds } = principal;
  const given = withinBounds(principal, requested);
  const known = await projectOf(database, principal, given.project);
  const filter = filterOf(given, viewerOf(principal));
  const result =
    known === null
      ? NOTHING
      : await recall.search({
          ...request,
          tenantId,
          bounds,
          filter: {
            ...filter,
            ...(known !== undefined && { projectId: known.id, formerProjectIds: known.formerIds }),
          },
        });
  metrics.searches.inc({ degraded: degradedLabel(result.degraded) });
  return result;
}

/** `GET /search`, `POST /search/semantic`, `GET /search/suggest`: over everything that the asker may see. */
export function searchRoutes(app: Api, dependencies: ApiDependencies): void {
  const { clock, tokens, database, indexOf } = dependencies;

  app.get(
    '/search',
    route('read', {
      tags: ['retrieval'],
      summary: 'Search memories',
      querystring: searchQuery,
      response: { 200: z.union([searchAnswer, compactAnswer]) },
    }),
    async (request) => {
      const started = performance.now();
      const { q, limit, offset, explain, format, as_of: asOf } = request.query;
      const result = await runSearch(dependencies, principalOf(request), request.query, {
        query: q,
        limit,
        offset,
        minScore: request.query.min_score,
        nearest: request.query.nearest,
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
    route('read', {
      tags: ['retrieval'],
      summary: 'Search memories by meaning only',
      body: semanticBody,
      response: { 200: searchAnswer },
    }),
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
        nearest: true,
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
    route('read', {
      tags: ['retrieval'],
      summary: 'Suggest completions of a query',
      querystring: suggestQuery,
      response: { 200: suggestAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { q, project, namespace, limit } = withinBounds(principal, request.query);
      const { tenantId } = principal;
      const known = await projectOf(database, principal, project);
      if (known === null) return { data: [] };
      const query = { viewerId: viewerOf(principal), typed: q, limit, projectId: known?.id, namespace };
      return { data: await suggestTexts(database.pool, tenantId, query) };
    },
  );
}
