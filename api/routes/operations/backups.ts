import { idParams, newestQuery } from '../../../contract/shared.ts';
import type { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { listBackups, readBackup, requestBackup } from '../../../stores/postgres/backups/backups.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError, existing } from '../../errors.ts';
import { newestPage } from '../../http/paging.ts';
import { backupSchema, backupsSchema, backupVerification } from '../../../contract/backups.ts';
import type { StoredBackup } from '../../../stores/postgres/backups/backups.ts';

/** A backup as the API answers it. */
export function presentBackup(row: StoredBackup): z.input<typeof backupSchema> {
  return present(backupSchema, {
    ...row,
    jobId: row.workflowId.startsWith('job/') ? `backup.${row.id}` : null,
    complete: row.manifestSha256 !== null && row.removedAt === null,
    encryptionKey: row.keyId,
  });
}

/** `POST /admin/backup`, `GET /admin/backups` and one backup: for operators of the instance. */
export function backupRoutes(app: Api, { config, database, startJob }: ApiDependencies): void {
  const { pool } = database;

  const requireStore = (): void => {
    if (config.backup.address === null)
      throw new ApiError('CONFLICT', 'no store for backups is configured (RECOLLECT_BACKUP_STORE)');
  };

  app.post(
    '/admin/backup',
    route('operator', {
      tags: ['admin'],
      summary: 'Start a backup',
      description: 'Returns at once; the job shows the progress. Returns the running backup if there is one.',
      response: { 202: backupSchema },
    }),
    async (request, reply) => {
      requireStore();
      const { tenantId, userId } = principalOf(request);
      const row = await requestBackup(pool, newId(), userId);
      // A scheduled backup has its workflow; start the workflow that an earlier request could not start.
      if (row.workflowId.startsWith('job/')) await startJob('backupRun', tenantId, row.id, { backupId: row.id });
      return reply.status(202).send(presentBackup(row));
    },
  );

  app.get(
    '/admin/backups',
    route('operator', {
      tags: ['admin'],
      summary: 'List backups, the newest first',
      querystring: newestQuery,
      response: { 200: backupsSchema },
    }),
    async ({ query: { limit, cursor } }) =>
      newestPage(await listBackups(pool, cursor ?? null, limit + 1), limit, presentBackup),
  );

  app.get(
    '/admin/backups/:id',
    route('operator', {
      tags: ['admin'],
      summary: 'Get a backup',
      params: idParams,
      response: { 200: backupSchema },
    }),
    async (request) => {
      const row = existing(await readBackup(pool, request.params.id), 'backup');
      return presentBackup(row);
    },
  );

  app.post(
    '/admin/backups/:id/verify',
    route('operator', {
      tags: ['admin'],
      summary: 'Verify a backup',
      description:
        'Returns the job at once; the backup then contains the time of a successful verification, or the fault. Also verifies a backup in the store that another instance created.',
      params: idParams,
      response: { 202: backupVerification },
    }),
    async (request, reply) => {
      requireStore();
      const { id } = request.params;
      await startJob('backupVerify', principalOf(request).tenantId, `verify-${id}`, { backupId: id });
      return reply.status(202).send({ id, job_id: `backup.verify-${id}` });
    },
  );
}
