import { idParams, newestOf, newestQuery } from '../../../contract/shared.ts';
import { ownedBy } from '../../subjects.ts';
import path from 'node:path';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { allowedFolder } from '../../../stores/files/transcript-folder.ts';
import type { FolderRefusal } from '../../../stores/files/transcript-folder.ts';
import { finishImport, listImports, openImport, readImport } from '../../../stores/postgres/imports/imports.ts';
import type { StoredImport } from '../../../stores/postgres/imports/imports.ts';
import { isAdmin, principalOf, route, viewerOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { createLocalCheck } from '../../http/local-caller.ts';
import { newestPage } from '../../http/paging.ts';
import { countsSchema, IMPORT_KINDS, importBody, importSchema } from '../../../contract/imports.ts';
import { CLAUDE_MEM_TABLES } from '../../../domain/claude-mem/rows.ts';
import { COUNT_NAMES } from '../../../domain/transcripts/counts.ts';
import type { TranscriptCounts } from '../../../domain/transcripts/counts.ts';
import { reportOf } from '../../../domain/claude-mem/counts.ts';

/** File name that claude-mem uses. */
const CLAUDE_MEM_FILE = 'claude-mem.db';
const REFUSALS: Readonly<Record<FolderRefusal, string>> = {
  not_absolute: 'must be an absolute path',
  not_allowed: 'is nothing that this server may read',
  missing: 'does not exist',
};

const FILE_COUNTS = ['files_total', 'files_done', 'files_unchanged', 'files_waiting', 'files_unreadable'] as const;

/** Counts of any store, each name with a number. */
export function presentCounts(
  counts: Readonly<Record<string, number>> | TranscriptCounts,
): z.input<typeof countsSchema> {
  const given = new Map(Object.entries(counts));
  return countsSchema.parse(Object.fromEntries(COUNT_NAMES.map((name) => [name, given.get(name) ?? 0])));
}

/** Rows of a database. What is known of them here is counted at the end. */
function presentRows({ counts, options, state }: StoredImport) {
  const of = (name: string) => counts[name] ?? 0;
  const recorded_rows = Object.fromEntries(CLAUDE_MEM_TABLES.map((table) => [table, of(`${table}.recorded_rows`)]));
  return {
    rows: {
      total: of('rows_total'),
      done: of('rows_done'),
      sessions_made: of('sessions_made'),
      first_prompts: of('first_prompts'),
    },
    tables: reportOf(counts, options.dryRun || state !== 'completed' ? null : recorded_rows),
  };
}

export function presentImport(row: StoredImport): z.input<typeof importSchema> {
  const [total = 0, done = 0, unchanged = 0, waiting = 0, unreadable = 0] = FILE_COUNTS.map(
    (name) => row.counts[name] ?? 0,
  );
  return {
    id: row.id,
    user_id: row.userId,
    kind: z.enum(IMPORT_KINDS).parse(row.kind),
    directory: row.options.directory,
    follow: row.options.follow,
    dry_run: row.options.dryRun,
    state: row.state,
    files: { total, done, unchanged, waiting, unreadable },
    counts: presentCounts(row.counts),
    ...(row.kind === 'claude-mem' ? presentRows(row) : { rows: null, tables: null }),
    error: row.error,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

/** Imports as jobs. */
export function importRoutes(app: Api, { config, database, jobs, startJob }: ApiDependencies): void {
  const isLocal = createLocalCheck(config.http.trustProxy);
  /** @throws ApiError NOT_FOUND for an import of another tenant, or of another user unless the caller is an admin */
  const read = async (request: FastifyRequest, id: string): Promise<StoredImport> => {
    const principal = principalOf(request);
    const found = await database.asTenant(viewOf(principal), (transaction) => readImport(transaction, id));
    return ownedBy(principal, found, found?.userId, 'import');
  };

  /** Returns the requested path and the allowed folders. */
  const sourceOf = (body: z.output<typeof importBody>) => {
    if (body.kind === 'transcripts') {
      const { roots } = config.transcripts;
      const given = body.directory ?? roots[0] ?? '';
      return {
        field: 'directory',
        given,
        roots,
        setting: 'RECOLLECT_TRANSCRIPT_ROOTS',
        follow: body.follow,
        dryRun: false,
      };
    }
    const { roots } = config.claudeMem;
    const given = body.file ?? path.join(roots[0] ?? '', CLAUDE_MEM_FILE);
    return { field: 'file', given, roots, setting: 'RECOLLECT_CLAUDE_MEM_ROOTS', follow: false, dryRun: body.dry_run };
  };

  app.post(
    '/imports',
    route('write', {
      tags: ['imports'],
      summary: 'Import transcripts or a claude-mem database from the server',
      description:
        'For admins on the server’s machine. The path must be in RECOLLECT_TRANSCRIPT_ROOTS or RECOLLECT_CLAUDE_MEM_ROOTS. Returns the running import if there is one.',
      body: importBody,
      response: { 202: importSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      if (!isAdmin(principal) || !isLocal(request))
        throw new ApiError('FORBIDDEN', 'only admins on the server’s machine may import its folders');
      const { field, given, roots, setting, follow, dryRun } = sourceOf(request.body);
      const allowed = await allowedFolder(given, roots);
      if ('refusal' in allowed)
        throw new ApiError('VALIDATION_FAILED', 'the request is not valid', [
          {
            field,
            message:
              allowed.refusal === 'not_allowed' ? `${REFUSALS.not_allowed} (${setting})` : REFUSALS[allowed.refusal],
          },
        ]);
      const job = await database.asTenant(viewOf(principal), (transaction) =>
        openImport(transaction, principal, request.body.kind, { directory: allowed.folder, follow, dryRun }),
      );
      // If the workflow cannot be started, the next request of the same kind finds the row and starts it.
      const { tenantId } = principal;
      const workflow = request.body.kind === 'transcripts' ? 'transcriptImport' : 'claudeMemImport';
      await startJob(workflow, tenantId, job.id, { tenantId, importId: job.id, follow });
      return reply.status(202).send(presentImport(job));
    },
  );
  app.get(
    '/imports',
    route('read', {
      tags: ['imports'],
      summary: 'List imports of transcripts and claude-mem databases, newest first',
      description:
        'Returns all imports of the tenant for admins, else those of the caller. Imports of files have a list of their own.',
      querystring: newestQuery,
      response: { 200: newestOf(importSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor } = request.query;
      const slice = { userId: viewerOf(principal), before: cursor ?? null, limit: limit + 1 };
      const found = await database.asTenant(viewOf(principal), (transaction) => listImports(transaction, slice));
      return newestPage(found, limit, presentImport);
    },
  );
  app.get(
    '/imports/:id',
    route('read', {
      tags: ['imports'],
      summary: 'Get an import and its progress',
      params: idParams,
      response: { 200: importSchema },
    }),
    async (request) => presentImport(await read(request, request.params.id)),
  );
  app.post(
    '/imports/:id/cancel',
    route('write', {
      tags: ['imports'],
      summary: 'Cancel an import; imported data remains',
      params: idParams,
      response: { 202: importSchema },
    }),
    async (request, reply) => {
      const found = await read(request, request.params.id);
      const runs =
        found.state !== 'running' ||
        (await jobs.cancel(principalOf(request).tenantId, { kind: 'import', subject: found.id }));
      if (!runs)
        await database.asTenant(viewOf(principalOf(request)), (transaction) =>
          finishImport(transaction, found.id, 'cancelled', null),
        );
      return reply.status(202).send(presentImport(await read(request, found.id)));
    },
  );
}
