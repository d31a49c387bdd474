import { idParams, newestOf, newestQuery } from '../../../contract/shared.ts';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ArchiveStoreError } from '../../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { listExports, openExport, ownerOfExport, readExport } from '../../../stores/postgres/exports/exports.ts';
import type { StoredExport } from '../../../stores/postgres/exports/exports.ts';
import {
  importKey,
  listFileImports,
  newImportId,
  openFileImport,
  readFileImport,
} from '../../../stores/postgres/imports/file-imports.ts';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { principalOf, route, viewerOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError, existing } from '../../errors.ts';
import { newestPage } from '../../http/paging.ts';
import { exportBody, exportSchema, fileImportSchema } from '../../../contract/gdpr.ts';
import { personFor, refuseOthers, sessionFor, ownedBy } from '../../subjects.ts';
import { piecesInTime, RequestSlots } from '../../http/request-slots.ts';
import type { StoredFileImport } from '../../../stores/postgres/imports/file-imports.ts';

/** Maximum bytes of the compressed file. */
const IMPORT_BYTES = 64 * 1024 * 1024 * 1024;

/** Each fills the store for long. */
const AT_ONCE = { perUser: 1, total: 3 } as const;

/** The pieces of a body, as long as they are not too many and come in time. @throws ApiError BODY_TOO_LARGE or REQUEST_TIMEOUT */
async function* bounded(body: Readable): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of piecesInTime(body)) {
    bytes += chunk.byteLength;
    if (bytes > IMPORT_BYTES) throw new ApiError('BODY_TOO_LARGE', `a file may have at most ${IMPORT_BYTES} bytes`);
    yield chunk;
  }
}

export function presentExport(row: StoredExport): z.input<typeof exportSchema> {
  return present(exportSchema, { ...row, rows: { ...row.counts } });
}

export function presentFileImport(row: StoredFileImport): z.input<typeof fileImportSchema> {
  return present(fileImportSchema, { ...row, kind: 'file' });
}

/** Returns the id of the subject of an export; null for the tenant. @throws ApiError FORBIDDEN, NOT_FOUND, VALIDATION_FAILED */
async function subjectOf(
  transaction: TenantTransaction,
  principal: Principal,
  { scope, subject: given }: z.output<typeof exportBody>,
): Promise<string | null> {
  if (scope === 'user') return (await personFor(transaction, principal, given)).id;
  if (scope === 'tenant') {
    refuseOthers(principal);
    return null;
  }
  if (given === undefined)
    throw new ApiError('VALIDATION_FAILED', 'the request is not valid', [
      { field: 'subject', message: `names the ${scope}` },
    ]);
  if (scope === 'session') return sessionFor(transaction, principal, given);
  refuseOthers(principal);
  return existing(await findProject(transaction, given), 'project').id;
}

/** Exports to a file, and imports of the file into another instance. */
export function exportRoutes(app: Api, { database, archives: archive, startJob }: ApiDependencies): void {
  const uploads = new RequestSlots(AT_ONCE);
  const store = (): ArchiveStore => {
    if (archive === null)
      throw new ApiError('CONFLICT', 'this instance has no store for files: RECOLLECT_ARCHIVE_STORE is not set');
    return archive;
  };

  /** @throws ApiError NOT_FOUND for an export of another tenant, or of more than the own data unless the caller is an admin */
  const read = async (request: FastifyRequest, id: string): Promise<StoredExport> => {
    const principal = principalOf(request);
    return database.asTenant(viewOf(principal), async (transaction) => {
      const found = existing(await readExport(transaction, id), 'export');
      return ownedBy(principal, found, await ownerOfExport(transaction, found), 'export');
    });
  };

  app.post(
    '/exports',
    route('write', {
      tags: ['exports'],
      summary: 'Export memory to a file that another instance can import',
      description:
        'Admins export the tenant, a project, a user or a session; users export themselves and their sessions. The file contains no keys, passwords or secrets. It is deleted after seven days.',
      body: exportBody,
      response: { 202: exportSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      store();
      const row = await database.asTenant(viewOf(principal), async (transaction) => {
        const { scope, include_restricted: includeRestricted } = request.body;
        const subject = await subjectOf(transaction, principal, request.body);
        if (includeRestricted) refuseOthers(principal);
        return openExport(transaction, { tenantId, userId, scope, subject, includeRestricted });
      });
      // If the workflow cannot be started, the sweep or the next request of the same scope finds the row and starts it.
      await startJob('exportRun', tenantId, row.id, { tenantId, jobId: row.id });
      return reply.status(202).send(presentExport(row));
    },
  );

  app.get(
    '/exports',
    route('read', {
      tags: ['exports'],
      summary: 'List exports, newest first',
      description:
        'Returns all exports of the tenant for admins, else those of the own data that the caller requested.',
      querystring: newestQuery,
      response: { 200: newestOf(exportSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor } = request.query;
      const slice = { ownerId: viewerOf(principal), before: cursor ?? null, limit: limit + 1 };
      const found = await database.asTenant(viewOf(principal), (transaction) => listExports(transaction, slice));
      return newestPage(found, limit, presentExport);
    },
  );

  app.get(
    '/exports/:id',
    route('read', {
      tags: ['exports'],
      summary: 'Get an export and its progress',
      params: idParams,
      response: { 200: exportSchema },
    }),
    async (request) => presentExport(await read(request, request.params.id)),
  );

  app.get(
    '/exports/:id/file',
    route('read', {
      tags: ['exports'],
      summary: 'Download the file of an export',
      description: 'NDJSON, compressed with Zstandard.',
      params: idParams,
      response: {
        200: {
          description: 'The file',
          content: { 'application/zstd': { schema: z.union([z.string(), z.instanceof(Readable)]) } },
        },
      },
    }),
    async (request, reply) => {
      const found = await read(request, request.params.id);
      const state = found.state === 'completed' && found.expiresAt.getTime() <= Date.now() ? 'expired' : found.state;
      if (state !== 'completed') throw new ApiError('CONFLICT', `the export is ${state}: there is no file`);
      const pieces = store().read(found.objectKey)[Symbol.asyncIterator]();
      // Read the first chunk before the response starts: a missing file then yields an error status.
      const first = await pieces.next().catch((error: unknown) => {
        if (error instanceof ArchiveStoreError && error.kind === 'missing')
          throw new ApiError('NOT_FOUND', 'the file was deleted');
        if (error instanceof ArchiveStoreError)
          throw new ApiError('STORAGE_UNAVAILABLE', 'storage is unavailable; try again');
        throw error;
      });
      const file = async function* () {
        for (let next = first; next.done !== true; next = await pieces.next()) yield next.value;
      };
      const sent = Readable.from(file());
      // A client that leaves, also before the first chunk, leaves no file or connection of the store open.
      sent.once('close', () => {
        pieces.return?.().catch((error: unknown) => request.log.warn({ error }, 'a file of the store was not closed'));
      });
      return reply
        .type('application/zstd')
        .header('content-length', found.bytes)
        .header('content-disposition', `attachment; filename="recollect-${found.id}.ndjson.zst"`)
        .send(sent);
    },
  );

  app.post(
    '/imports/files',
    {
      config: { access: 'admin', zstd: true },
      schema: {
        tags: ['imports'],
        summary: 'Import the file of another instance',
        description:
          'Stores the file, then a job imports it and resumes after interruptions. Matches users by name and projects by remote; leaves existing rows unchanged, and skips rows that were erased on this instance.',
        consumes: ['application/zstd'],
        body: z.unknown(),
        response: { 202: fileImportSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (!(request.body instanceof Readable))
        throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'the body must be the file itself, as application/zstd');
      const id = newImportId();
      const objectKey = importKey(principal.tenantId, id);
      const { body } = request;
      const file = await uploads.run(principal.userId, () => store().write(objectKey, bounded(body)));
      const row = await database.asTenant(viewOf(principal), (transaction) =>
        openFileImport(transaction, principal, id, { objectKey, ...file }),
      );
      await startJob('fileImport', principal.tenantId, row.id, { tenantId: principal.tenantId, jobId: row.id });
      return reply.status(202).send(presentFileImport(row));
    },
  );

  app.get(
    '/imports/files',
    route('admin', {
      tags: ['imports'],
      summary: 'List imports of files, newest first',
      querystring: newestQuery,
      response: { 200: newestOf(fileImportSchema) },
    }),
    async (request) => {
      const { limit, cursor } = request.query;
      const found = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        listFileImports(transaction, cursor ?? null, limit + 1),
      );
      return newestPage(found, limit, presentFileImport);
    },
  );

  app.get(
    '/imports/files/:id',
    route('admin', {
      tags: ['imports'],
      summary: 'Get an import of a file and its progress',
      params: idParams,
      response: { 200: fileImportSchema },
    }),
    async (request) => {
      const row = existing(
        await database.asTenant(viewOf(principalOf(request)), (transaction) =>
          readFileImport(transaction, request.params.id),
        ),
        'import',
      );
      return presentFileImport(row);
    },
  );
}
