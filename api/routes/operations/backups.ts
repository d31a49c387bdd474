import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { listBackups, readBackup, requestBackup } from '../../../stores/postgres/backups/backups.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { backupSchema, backupsSchema, backupVerification } from '../../../contract/backups.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { numeric } from '../../../contract/query.ts';
import type { StoredBackup } from '../../../stores/postgres/backups/backups.ts';

const params = z.object({ id: z.uuid() });

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A backup as the API answers it. */
export function presentBackup(row: StoredBackup): z.input<typeof backupSchema> {
  return {
    id: row.id,
    job_id: row.workflowId.startsWith('job/') ? `backup.${row.id}` : null,
    state: row.state,
    error: row.error,
    requested_by: row.requestedBy,
    created_at: row.createdAt.toISOString(),
    finished_at: iso(row.finishedAt),
    snapshot_at: iso(row.snapshotAt),
    complete: row.manifestSha256 !== null && row.removedAt === null,
    files: row.files,
    rows: row.rows,
    vectors: row.vectors,
    bytes: row.bytes,
    plain_bytes: row.plainBytes,
    encryption_key: row.keyId,
    manifest_sha256: row.manifestSha256,
    verified_at: iso(row.verifiedAt),
    verified_how: row.verifiedHow,
    verify_error: row.verifyError,
    copied_at: iso(row.copiedAt),
    copy_verified_at: iso(row.copyVerifiedAt),
    removed_at: iso(row.removedAt),
  };
}

/** `POST /admin/backup`, `GET /admin/backups` and one backup: for operators of the instance. */
export function backupRoutes({ config, database, backups }: ApiDependencies): FastifyPluginCallbackZod {
  const { pool } = database;

  const requireStore = (): void => {
    if (config.backup.address === null)
      throw new ApiError('CONFLICT', 'no store for backups is configured (RECOLLECT_BACKUP_STORE)');
  };

  return (app, _options, done) => {
    app.post(
      '/admin/backup',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['admin'],
          summary: 'Start a backup',
          description: 'Returns at once; the job shows the progress. Returns the running backup if there is one.',
          response: { 202: backupSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        requireStore();
        const { tenantId, userId } = principalOf(request);
        const row = await requestBackup(pool, newId(), userId);
        // A scheduled backup has its workflow; start the workflow that an earlier request could not start.
        if (row.workflowId.startsWith('job/')) await backups.start(tenantId, row.id);
        return reply.status(202).send(presentBackup(row));
      },
    );

    app.get(
      '/admin/backups',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['admin'],
          summary: 'List backups, the newest first',
          querystring: z.strictObject({
            limit: numeric(z.number().int().min(1).max(100)).prefault(20),
            cursor: z.uuid().optional(),
          }),
          response: { 200: backupsSchema, ...ERROR_RESPONSES },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const found = await listBackups(pool, cursor ?? null, limit + 1);
        const page = found.slice(0, limit);
        return {
          data: page.map(presentBackup),
          pagination: { limit, next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null },
        };
      },
    );

    app.get(
      '/admin/backups/:id',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['admin'],
          summary: 'Get a backup',
          params,
          response: { 200: backupSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const row = await readBackup(pool, request.params.id);
        if (row === null) throw new ApiError('NOT_FOUND', 'there is no such backup');
        return presentBackup(row);
      },
    );

    app.post(
      '/admin/backups/:id/verify',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['admin'],
          summary: 'Verify a backup',
          description:
            'Returns the job at once; the backup then contains the time of a successful verification, or the fault. Also verifies a backup in the store that another instance created.',
          params,
          response: { 202: backupVerification, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        requireStore();
        const { id } = request.params;
        await backups.verify(principalOf(request).tenantId, id);
        return reply.status(202).send({ id, job_id: `backup.verify-${id}` });
      },
    );
    done();
  };
}
