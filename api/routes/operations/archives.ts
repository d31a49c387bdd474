import { z } from 'zod';
import { listArchives, readArchive } from '../../../stores/postgres/retention/archives.ts';
import type { StoredArchive } from '../../../stores/postgres/retention/archives.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError, existing } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { pageOfItems, pageQuery } from '../../../contract/shared.ts';
import { line } from '../../../contract/text.ts';
import { archiveRestore, archiveSchema, QUESTION_CHARS } from '../../../contract/retention.ts';

const PREVIEW_CHARS = 300;

function presentArchive(archive: StoredArchive): z.input<typeof archiveSchema> {
  return present(archiveSchema, {
    ...archive,
    project: archive.projectId,
    preview: archive.heads.slice(0, PREVIEW_CHARS).toWellFormed(),
    archivedAt: archive.createdAt,
    counts: { ...archive.counts },
    bytes: archive.objectBytes,
    sha256: archive.objectSha256,
  });
}

/** `/archives`: sessions whose rows are in the archive store. */
export function archiveRoutes(app: Api, { database, startJob, archives: store }: ApiDependencies): void {
  app.get(
    '/archives',
    route('read', {
      tags: ['retention'],
      summary: 'Search archived sessions by title and start of summary',
      querystring: z.strictObject({
        q: line(QUESTION_CHARS).optional().describe('Words to search for; without them, the newest archives first'),
        ...pageQuery,
      }),
      response: { 200: pageOfItems(archiveSchema) },
    }),
    async (request) => {
      const { tenantId } = principalOf(request);
      const { q, page, limit } = request.query;
      const { archives, total } = await database.asTenant(tenantId, (transaction) =>
        listArchives(transaction, tenantId, { question: q ?? null, limit, offset: (page - 1) * limit }),
      );
      return { data: archives.map(presentArchive), pagination: paginationOf(page, limit, total) };
    },
  );
  app.post(
    '/archives/:id/restore',
    route('admin', {
      tags: ['retention'],
      summary: 'Restore an archived session',
      description: 'Restores the rows, then requests their vectors; deletes the archive when all are indexed.',
      params: z.object({ id: z.uuid().describe('Id of the archive or of its session') }),
      response: { 202: archiveRestore },
    }),
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const archive = existing(
        await database.asTenant(tenantId, (transaction) => readArchive(transaction, request.params.id)),
        'archive',
      );
      if (store === null)
        throw new ApiError(
          'CONFLICT',
          'no archive store is set (RECOLLECT_ARCHIVE_STORE): there is nothing to read from',
        );
      await startJob('archiveRestore', tenantId, archive.id, { tenantId, archiveId: archive.id });
      return reply
        .status(202)
        .send({ archive: presentArchive(archive), job_id: jobIdOf({ kind: 'retention', subject: archive.id }) });
    },
  );
}
