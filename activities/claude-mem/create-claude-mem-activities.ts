import { flatCounts } from '../../domain/claude-mem/counts.ts';
import { CLAUDE_MEM_TABLES } from '../../domain/claude-mem/rows.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { ClaudeMemSourceError } from '../../stores/claude-mem/copy-source.ts';
import { PAGE_ROWS, parseRows } from '../../stores/claude-mem/row-schemas.ts';
import { FIRST_PAGE, openClaudeMem } from '../../stores/claude-mem/source.ts';
import type { ClaudeMemSource, SourcePage } from '../../stores/claude-mem/source.ts';
import { allowedFolder } from '../../stores/files/transcript-folder.ts';
import { importBatch } from '../../stores/postgres/claude-mem/import-batch.ts';
import { prepareRows } from '../../stores/postgres/claude-mem/prepare-rows.ts';
import type { ImportBatch, PreparedRows } from '../../stores/postgres/claude-mem/prepare-rows.ts';
import { countKnown } from '../../stores/postgres/claude-mem/ledger.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { changeImportCounts, finishImport, readImport } from '../../stores/postgres/imports/imports.ts';
import type { ClaudeMemActivities, ClaudeMemCounts, ImportStep } from '../../workflows/imports/types.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';

export interface ClaudeMemDependencies {
  readonly database: Database;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  /** Folders whose databases may be read. */
  readonly roots: readonly string[];
  readonly now: () => number;
}

/** Duration of one step, which opens its own copy of the file. */
const STEP_MS = 5 * 60_000;

/** One import in one step. */
interface Reading {
  readonly tenantId: TenantId;
  readonly importId: string;
  readonly source: ClaudeMemSource;
  readonly batch: ImportBatch;
  readonly signal: AbortSignal;
}

/** Imports from claude-mem's databases on this machine. */
export function createClaudeMemActivities(dependencies: ClaudeMemDependencies): ClaudeMemActivities {
  const { database, embeddingModel, hints, roots, now } = dependencies;

  /** Writes one page and its position in one transaction. */
  const writePage = async (
    { tenantId, importId, batch }: Reading,
    prepared: PreparedRows,
    page: Pick<SourcePage, 'source_rows' | 'nextAfter'>,
  ): Promise<void> => {
    const { table } = prepared;
    const outcome = await database.asTenant(tenantId, async (transaction) => {
      const taken = await importBatch(transaction, batch, prepared);
      await changeImportCounts(transaction, importId, {
        add: {
          ...flatCounts(table, { ...taken.counts, source_rows: page.source_rows }),
          sessions_made: taken.sessionsMade,
          first_prompts: taken.firstPrompts,
          rows_done: page.source_rows,
        },
        set: page.nextAfter === null ? { [`${table}.read`]: 1 } : { [`${table}.after`]: page.nextAfter },
      });
      return taken;
    });
    // Lossy by design: the sweep resends lost hints.
    for (const session of outcome.toHint)
      await hints.session(tenantId, session, { isBackfill: true }).catch(() => undefined);
  };

  /** Reads from the import's position and prepares each page while the previous one is written. Returns true if the time was up before the end. */
  const readOn = async (reading: Reading, counts: Readonly<Record<string, number>>): Promise<boolean> => {
    const started = now();
    let writing: Promise<void> = Promise.resolve();
    try {
      for (const table of CLAUDE_MEM_TABLES) {
        let after = counts[`${table}.read`] === 1 ? null : (counts[`${table}.after`] ?? FIRST_PAGE);
        while (after !== null) {
          reportProgress(reading.signal);
          if (now() - started >= STEP_MS) return true;
          const page = reading.source.page(table, after, PAGE_ROWS[table]);
          const prepared = await prepareRows(reading.batch, parseRows(table, page.rows));
          await writing;
          writing = writePage(reading, prepared, page);
          // A later await reports the failure; until then it must not count as unhandled.
          writing.catch(() => undefined);
          after = page.nextAfter;
        }
      }
      return false;
    } finally {
      await writing;
    }
  };

  const readJob = (tenantId: TenantId, importId: string) =>
    database.asTenant(tenantId, (transaction) => readImport(transaction, importId));

  const step = async (tenantId: TenantId, importId: string, more: boolean): Promise<ImportStep<ClaudeMemCounts>> => {
    const job = await readJob(tenantId, importId);
    return { rowsTotal: job?.counts['rows_total'] ?? 0, rowsDone: job?.counts['rows_done'] ?? 0, more };
  };

  return {
    readClaudeMem: ({ tenantId: tenant, importId }) =>
      withHeartbeat(async (signal) => {
        const tenantId = asId<TenantId>(tenant);
        const job = await readJob(tenantId, importId);
        if (job === null || job.state !== 'running') return { rowsTotal: 0, rowsDone: 0, more: false };
        // Checked again: the path may have become a link since the import was requested.
        const allowed = await allowedFolder(job.options.directory, roots);
        if ('refusal' in allowed) throw new ClaudeMemSourceError('MISSING', 'there is no such file');
        const source = await openClaudeMem(allowed.folder);
        try {
          const { dryRun } = job.options;
          const owner = { tenantId, userId: asId<UserId>(job.userId) };
          const batch = { owner, source: source.fingerprint, embeddingModel, dryRun };
          const total = Object.values(source.totals).reduce((sum, rows) => sum + rows, 0);
          await database.asTenant(tenantId, (transaction) =>
            changeImportCounts(transaction, importId, {
              add: {},
              set: { rows_total: total, schema_version: source.schemaVersion },
            }),
          );
          const more = await readOn({ tenantId, importId, source, batch, signal }, job.counts);
          await hints.index(tenantId).catch(() => undefined);
          if (!more && !dryRun)
            await database.asTenant(tenantId, async (transaction) => {
              const recorded_rows = await countKnown(transaction, source.fingerprint);
              const set = Object.fromEntries(
                CLAUDE_MEM_TABLES.map((table) => [`${table}.recorded_rows`, recorded_rows[table] ?? 0]),
              );
              await changeImportCounts(transaction, importId, { add: {}, set });
            });
          return await step(tenantId, importId, more);
        } finally {
          await source.close();
        }
      }),

    async finishClaudeMem({ tenantId, importId, state, error }) {
      await database.asTenant(asId<TenantId>(tenantId), (transaction) =>
        finishImport(transaction, importId, state, error),
      );
    },
  };
}
