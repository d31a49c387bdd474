import { z } from 'zod';
import { writeByHand } from '../../../stores/postgres/learnings/learning-changes.ts';
import { listLearnings, readLearning, readVersions } from '../../../stores/postgres/learnings/learning-list.ts';
import { readSharing } from '../../../stores/postgres/learnings/sharing.ts';
import { noRows } from '../../../stores/postgres/connection/rows.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { existing } from '../../errors.ts';
import { handWritten } from '../../memories/hand-written.ts';
import { knownAlready } from '../../memories/learning-changes.ts';
import { cursorPageOf, usedIn } from '../../../contract/shared.ts';
import { learningIdOf } from '../../memories/memory-lookup.ts';
import { ownerIdFor } from '../../../domain/learning/visibility.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { countFetched } from '../../memories/memory-fetches.ts';
import { cursorOf, pageOf, placeOf } from '../../http/paging.ts';
import { filterIds } from '../../subjects.ts';
import {
  learningDetail,
  learningInput,
  learningParams,
  learningSchema,
  learningsQuery,
} from '../../../contract/learnings.ts';
import type { LearningVersion, StoredLearning } from '../../../stores/postgres/learnings/learning-list.ts';

const placeSchema = z.strictObject({ value: z.number(), id: z.uuid() });

export function presentLearning(row: StoredLearning): z.input<typeof learningSchema> {
  return present(learningSchema, {
    ...row,
    hash: memoryHash(row.id),
    project: row.project === null ? null : { id: row.project.id, name: row.project.displayName },
    category: learningSchema.shape.category.parse(row.category),
    examples: z.array(z.string()).parse(row.examples),
    origin: learningSchema.shape.origin.parse(row.origin),
    visibility: learningSchema.shape.visibility.parse(row.visibility),
    verified: row.verifiedAt !== null,
    evidence: row.evidence.map((piece) => present(learningSchema.shape.evidence.element, piece)),
  });
}

export function presentVersions(versions: readonly LearningVersion[]): z.input<typeof learningDetail>['versions'] {
  return versions.map((version) => present(learningDetail.shape.versions.element, version));
}

/** `GET, POST /learnings` and `GET /learnings/:id`. */
export function learningRoutes(app: Api, { database, embeddingModel, workflowHints }: ApiDependencies): void {
  app.get(
    '/learnings',
    route('read', {
      tags: ['learnings'],
      summary: 'List learnings',
      querystring: learningsQuery,
      response: { 200: cursorPageOf(learningSchema) },
    }),
    async (request) => {
      const { page, limit, cursor, session, project, sort, as_of: asOf, ...rest } = request.query;
      const list = `learnings.${sort}`;
      const after = placeOf(cursor, list, placeSchema);
      const principal = principalOf(request);
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const ids = await filterIds(transaction, principal, { project, session });
        if (ids === null) return noRows(after);
        const filter = {
          ...ids,
          namespace: rest.namespace,
          category: rest.category,
          tag: rest.tag,
          verified: rest.verified,
          visibility: rest.visibility,
          q: rest.q,
          asOf: asOf === undefined ? undefined : new Date(asOf),
          includeClosed: rest.include_closed,
        };
        return listLearnings(transaction, filter, sort, { after, page, limit }, viewerOf(principal));
      });
      const next = found.next === null ? null : cursorOf(list, found.next);
      return {
        data: found.rows.map(presentLearning),
        pagination: pageOf(page, limit, found.total, next),
      };
    },
  );

  app.post(
    '/learnings',
    route('write', {
      tags: ['learnings'],
      summary: 'Create a learning',
      description:
        'Evidence is optional; each quote must be verbatim in its row. Private text and secrets are redacted. A duplicate of a current learning is rejected with CONFLICT.',
      body: learningInput,
      response: { 201: learningSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      const written = existing(
        await database.asTenant(viewOf(principal), async (transaction) => {
          const given = await handWritten(transaction, request.body, viewerOf(principal));
          const visibility = request.body.visibility ?? (await readSharing(transaction, tenantId)).visibility;
          const learning = { ...given, ownerId: ownerIdFor(visibility, userId) };
          const result = await writeByHand(transaction, { tenantId, userId, embeddingModel }, learning);
          if ('knownId' in result) throw knownAlready(result.knownId);
          return readLearning(transaction, result.id, viewerOf(principal));
        }),
        'learning',
      );
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return reply.status(201).send(presentLearning(written));
    },
  );

  app.get(
    '/learnings/:id',
    route('read', {
      tags: ['learnings'],
      summary: 'Get a learning with its evidence and versions',
      params: learningParams,
      querystring: z.strictObject({ used_in: usedIn }),
      response: { 200: learningDetail },
    }),
    async (request) => {
      const principal = principalOf(request);
      return database.asTenant(viewOf(principal), async (transaction) => {
        const id = existing(await learningIdOf(transaction, request.params.id, 'id'), 'learning');
        await countFetched(transaction, principal, request.query.used_in, [id]);
        const found = existing(await readLearning(transaction, id, viewerOf(principal)), 'learning');
        return { ...presentLearning(found), versions: presentVersions(await readVersions(transaction, id)) };
      });
    },
  );
}
