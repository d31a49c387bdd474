import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { allowedFolder } from '../../stores/files/transcript-folder.ts';
import type { FolderRefusal } from '../../stores/files/transcript-folder.ts';
import { finishImport, openImport, readImport } from '../../stores/postgres/imports.ts';
import type { StoredImport } from '../../stores/postgres/imports.ts';
import { holderOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { IMPORT_KIND, importBody, importSchema, presentImport } from '../schemas/imports.ts';
import { ERROR_RESPONSES } from '../schemas/shared.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const REFUSALS: Readonly<Record<FolderRefusal, string>> = {
  not_absolute: 'must be an absolute path',
  not_allowed: 'is not a folder that this server may read (RECOLLECT_TRANSCRIPT_ROOTS)',
  missing: 'does not exist',
};

/** Somebody on this machine: what a proxy passes on is not. */
function isLocal(request: FastifyRequest): boolean {
  const passedOn = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(
    (name) => request.headers[name] !== undefined,
  );
  return !passedOn && LOOPBACK.has(request.socket.remoteAddress ?? '');
}

/** Imports as jobs. */
export function importRoutes({ config, database, imports }: ApiDependencies): FastifyPluginCallbackZod {
  /** @throws ApiError NOT_FOUND for another tenant's, and, unless an admin asks, another user's */
  const read = async (request: FastifyRequest, id: string): Promise<StoredImport> => {
    const holder = holderOf(request);
    const found = await database.asTenant(holder.tenantId, (transaction) => readImport(transaction, id));
    if (found === null || (holder.role !== 'admin' && found.userId !== holder.userId))
      throw new ApiError('NOT_FOUND', 'there is no such import');
    return found;
  };

  return (app, _options, done) => {
    app.post(
      '/imports',
      {
        config: { access: 'write' },
        schema: {
          tags: ['imports'],
          summary: 'Import transcripts from a folder of the server',
          description:
            'For admins on the machine of the server, and for folders that it may read. Asked for again while it runs, the same import is answered.',
          body: importBody,
          response: { 202: importSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const holder = holderOf(request);
        if (holder.role !== 'admin' || !isLocal(request))
          throw new ApiError('FORBIDDEN', 'folders of the server are read for admins on its own machine only');
        const { roots } = config.transcripts;
        const { follow } = request.body;
        const allowed = await allowedFolder(request.body.directory ?? roots[0] ?? '', roots);
        if ('refusal' in allowed)
          throw new ApiError('VALIDATION_FAILED', 'the request is not valid', [
            { field: 'directory', message: REFUSALS[allowed.refusal] },
          ]);
        const job = await database.asTenant(holder.tenantId, (transaction) =>
          openImport(transaction, holder, IMPORT_KIND, { directory: allowed.folder, follow }),
        );
        // A row whose workflow could not be told is found by the next request of the same kind, and started then.
        await imports.start({ tenantId: holder.tenantId, importId: job.id, follow });
        return reply.status(202).send(presentImport(job));
      },
    );
    app.get(
      '/imports/:id',
      {
        config: { access: 'read' },
        schema: {
          tags: ['imports'],
          summary: 'An import and how far it came',
          params: z.object({ id: z.uuid() }),
          response: { 200: importSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => presentImport(await read(request, request.params.id)),
    );
    app.post(
      '/imports/:id/cancel',
      {
        config: { access: 'write' },
        schema: {
          tags: ['imports'],
          summary: 'Stop an import; what was read stays',
          params: z.object({ id: z.uuid() }),
          response: { 202: importSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const found = await read(request, request.params.id);
        const runs = found.state !== 'running' || (await imports.cancel(found));
        if (!runs)
          await database.asTenant(holderOf(request).tenantId, (transaction) =>
            finishImport(transaction, found.id, 'cancelled', null),
          );
        return reply.status(202).send(presentImport(await read(request, found.id)));
      },
    );
    done();
  };
}
