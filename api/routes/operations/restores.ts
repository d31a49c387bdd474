import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { COPY_STORE, listRestores, openRestore, readRestore } from '../../../stores/postgres/backups/restores.ts';
import type { RestoreRequest, StoredRestore } from '../../../stores/postgres/backups/restores.ts';
import { RESTORE_WORKFLOWS } from '../../../stores/temporal/start-workflow.ts';
import { principalOf, guardedRoute, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { existing } from '../../errors.ts';
import { drillBody, restoreBody, restoreSchema } from '../../../contract/backups.ts';
import { dataOf, idParams, pageQuery } from '../../../contract/shared.ts';

/** A restore as it is answered. */
export function presentRestore(restore: StoredRestore): z.input<typeof restoreSchema> {
  return present(restoreSchema, { ...restore, jobId: `restore.${restore.id}` });
}

/** Restores and restore drills of the instance, for its operators. */
export function restoreRoutes(app: Api, { database, startJob }: ApiDependencies): void {
  /** Writes the row first: if the workflow cannot be started, an identical request starts it, unless the sweep has ended the row of a restore; it starts a drill. */
  const open = async (request: FastifyRequest, requested: RestoreRequest): Promise<StoredRestore> => {
    const principal = principalOf(request);
    const { tenantId, userId } = principal;
    // Private learnings are memories, too: an instance with none but those is not empty.
    const opened = await database.asTenant(viewOf(principal), (transaction) =>
      openRestore(transaction, userId, requested),
    );
    await startJob(RESTORE_WORKFLOWS[opened.kind], tenantId, opened.id, { restoreId: opened.id });
    return opened;
  };

  app.post(
    '/admin/restore',
    guardedRoute('operator', {
      tags: ['admin'],
      summary: 'Restore a backup into this instance',
      description:
        'Builds and verifies a database beside the running one, then replaces it and retains the old one under another name. Fails if the instance has sessions or learnings, unless `overwrite` is true. Returns the running restore if there is one with the same parameters.',
      body: restoreBody,
      response: { 202: restoreSchema },
    }),
    async (request, reply) => {
      const { backup_id: backupId, store, overwrite, dry_run: dryRun } = request.body;
      const restore = await open(request, {
        kind: 'restore',
        backupId: backupId ?? null,
        store: store === 'copy' ? COPY_STORE : null,
        signer: null,
        overwrite,
        dryRun,
      });
      return reply.status(202).send(presentRestore(restore));
    },
  );
  app.post(
    '/admin/drill',
    route('operator', {
      tags: ['admin'],
      summary: 'Run a restore drill',
      body: drillBody,
      response: { 202: restoreSchema },
    }),
    async (request, reply) => {
      const { backup_id: backupId, store } = request.body;
      const drill = await open(request, {
        kind: 'drill',
        backupId: backupId ?? null,
        store: store === 'copy' ? COPY_STORE : null,
        signer: null,
        overwrite: false,
        dryRun: false,
      });
      return reply.status(202).send(presentRestore(drill));
    },
  );
  app.get(
    '/admin/restores',
    route('operator', {
      tags: ['admin'],
      summary: 'List restores and drills, newest first',
      querystring: z.object({
        before: z.uuid().optional().describe('Id of the last restore of the previous page'),
        limit: pageQuery.limit,
      }),
      response: { 200: dataOf(restoreSchema) },
    }),
    async (request) => {
      const { before, limit } = request.query;
      const found = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        listRestores(transaction, before ?? null, limit),
      );
      return { data: found.map(presentRestore) };
    },
  );
  app.get(
    '/admin/restores/:id',
    route('operator', {
      tags: ['admin'],
      summary: 'Get a restore or a drill',
      params: idParams,
      response: { 200: restoreSchema },
    }),
    async (request) => {
      const found = existing(
        await database.asTenant(viewOf(principalOf(request)), (transaction) =>
          readRestore(transaction, request.params.id),
        ),
        'restore',
      );
      return presentRestore(found);
    },
  );
}
