import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listArchives, readArchive } from '../../../stores/postgres/retention/archives.ts';
import type { StoredArchive } from '../../../stores/postgres/retention/archives.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { ERROR_RESPONSES, pageOfItems, pageQuery } from '../../../contract/shared.ts';
import { line } from '../../../contract/text.ts';
import { archiveRestore, archiveSchema, QUESTION_CHARS } from '../../../contract/retention.ts';

const PREVIEW_CHARS = 300;

function present(archive: StoredArchive): z.input<typeof archiveSchema> {
  return {
    id: archive.id,
    session_id: archive.sessionId,
    project: archive.projectId,
    title: archive.title,
    preview: archive.heads.slice(0, PREVIEW_CHARS).toWellFormed(),
    started_at: archive.startedAt.toISOString(),
    ended_at: archive.endedAt.toISOString(),
    archived_at: archive.createdAt.toISOString(),
    counts: { ...archive.counts },
    bytes: archive.objectBytes,
    sha256: archive.objectSha256,
  };
}

/** `/archives`: sessions whose rows are in the archive store. */
export function archiveRoutes({ database, retention, archives: store }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/archives',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retention'],
          summary: 'Search archived sessions by title and start of summary',
          querystring: z.strictObject({
            q: line(QUESTION_CHARS).optional().describe('Words to search for; without them, the newest archives first'),
            ...pageQuery,
          }),
          response: {
            200: pageOfItems(archiveSchema),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const { tenantId } = principalOf(request);
        const { q, page, limit } = request.query;
        const { archives, total } = await database.asTenant(tenantId, (transaction) =>
          listArchives(transaction, tenantId, { question: q ?? null, limit, offset: (page - 1) * limit }),
        );
        return { data: archives.map(present), pagination: paginationOf(page, limit, total) };
      },
    );
    app.post(
      '/archives/:id/restore',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['retention'],
          summary: 'Restore an archived session',
          description: 'Restores the rows, then requests their vectors; deletes the archive when all are indexed.',
          params: z.object({ id: z.uuid().describe('Id of the archive or of its session') }),
          response: { 202: archiveRestore, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { tenantId } = principalOf(request);
        const archive = await database.asTenant(tenantId, (transaction) => readArchive(transaction, request.params.id));
        if (archive === null) throw new ApiError('NOT_FOUND', 'there is no such archive');
        if (store === null)
          throw new ApiError(
            'CONFLICT',
            'no archive store is set (RECOLLECT_ARCHIVE_STORE): there is nothing to read from',
          );
        await retention.restore({ tenantId, archiveId: archive.id });
        return reply
          .status(202)
          .send({ archive: present(archive), job_id: jobIdOf({ kind: 'retention', subject: archive.id }) });
      },
    );
    done();
  };
}
