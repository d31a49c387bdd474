import { Readable } from 'node:stream';
import { z } from 'zod';
import { CLAUDE_MEM_TABLES } from '../../../domain/claude-mem/rows.ts';
import { mapRows } from '../../../domain/claude-mem/map-rows.ts';
import { viewOfUser } from '../../../stores/postgres/connection/database.ts';
import { importBatch } from '../../../stores/postgres/claude-mem/import-batch.ts';
import { countKnown } from '../../../stores/postgres/claude-mem/ledger.ts';
import { principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { collectBody } from '../../http/collect-body.ts';
import { ApiError } from '../../errors.ts';
import { HEAVY_CHARS } from '../../intake/intake.ts';
import { MAX_ROWS, readRows } from '../../intake/claude-mem-rows.ts';
import {
  CLAUDE_MEM_REQUESTS,
  claudeMemKnown,
  claudeMemKnownQuery,
  claudeMemRowsQuery,
  claudeMemTaken,
} from '../../../contract/imports.ts';
import { UPLOAD_DEADLINE_MS, RequestSlots } from '../../http/request-slots.ts';

/** Fits a row with the full output of a tool. */
const BODY_BYTES = 32 * 1024 * 1024;
/** Each request buffers its rows. */
const AT_ONCE = { perUser: CLAUDE_MEM_REQUESTS, total: 4 } as const;

/** Rows as the document has them. Columns hold what was put into them: beside the id nothing is refused. */
const ROWS = {
  type: 'array',
  description: 'Rows, one per line',
  maxItems: MAX_ROWS,
  items: {
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    },
  },
};

/** Databases of claude-mem on other machines, sent by the client there. */
export function claudeMemRoutes(
  app: Api,
  {
    database,
    embeddingModel,
    heavy,
    workflowHints,
    importBurst,
  }: Pick<ApiDependencies, 'database' | 'embeddingModel' | 'heavy' | 'workflowHints' | 'importBurst'>,
): void {
  const slots = new RequestSlots(AT_ONCE);

  app.get(
    '/imports/claude-mem/rows',
    route('write', {
      tags: ['imports'],
      summary: 'Count the imported rows of a claude-mem database',
      querystring: claudeMemKnownQuery,
      response: { 200: claudeMemKnown },
    }),
    async (request) => {
      const known = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        countKnown(transaction, request.query.source),
      );
      return claudeMemKnown.parse(Object.fromEntries(CLAUDE_MEM_TABLES.map((table) => [table, known[table] ?? 0])));
    },
  );
  app.post(
    '/imports/claude-mem/rows',
    {
      bodyLimit: BODY_BYTES,
      config: { access: 'write', ndjson: true },
      schema: {
        tags: ['imports'],
        summary: 'Import rows of a claude-mem database',
        description: `Imports at most ${MAX_ROWS} rows of one table, one per line, each with the columns of its session. Imports all rows or none; skips rows imported before.`,
        consumes: ['application/x-ndjson'],
        querystring: claudeMemRowsQuery,
        body: z.unknown().meta(ROWS),
        response: { 200: claudeMemTaken },
      },
    },
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      if (!(request.body instanceof Readable))
        throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'rows must be sent as application/x-ndjson');
      const { body } = request;
      return slots.run(userId, async () => {
        const { source, table, dry_run: dryRun } = request.query;
        const bytes = await collectBody(request, body, BODY_BYTES, UPLOAD_DEADLINE_MS);
        const batch = { owner: { tenantId, userId }, source, embeddingModel, dryRun };
        const drafts =
          bytes.length < HEAVY_CHARS
            ? mapRows(batch, readRows(table, bytes))
            : await heavy.mapRows(bytes, table, { owner: batch.owner, source });
        // Processing waits until all rows are imported.
        const countRows = (): void => {
          if (!dryRun) importBurst.count(drafts.length);
        };
        countRows();
        // Prompts that hooks delivered are private rows of the importing user.
        const taken = await database.asTenant(viewOfUser(tenantId, userId), (transaction) =>
          importBatch(transaction, batch, { table, drafts }),
        );
        countRows();
        // Both hints may be lost: the sweep resends them.
        for (const session of taken.toHint) await workflowHints.session(tenantId, session).catch(() => undefined);
        if (!dryRun) await workflowHints.index(tenantId).catch(() => undefined);
        const { source_rows, imported, present, refused, ...dropped } = taken.counts;
        return {
          rows: source_rows,
          imported,
          present,
          refused,
          dropped,
          sessions_made: taken.sessionsMade,
          first_prompts: taken.firstPrompts,
        };
      });
    },
  );
}
