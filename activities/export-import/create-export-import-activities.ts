import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { ArchiveStore, WrittenObject } from '../../domain/ports/archive-store.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { packed } from '../../stores/archive/packed.ts';
import { removeDueExports } from './remaining-files.ts';
import { unpackLines } from './lines.ts';
import { checkLines, readRows } from './read-rows.ts';
import { writeRows } from './write-rows.ts';
import type { WrittenRows } from './write-rows.ts';
import { endExport, finishExport, isErasedSince, readExport } from '../../stores/postgres/exports/exports.ts';
import { readFileImport, endFileImport, notePortableProgress } from '../../stores/postgres/imports/file-imports.ts';
import type { TenantScope } from '../../stores/postgres/connection/tenant-scope.ts';
import type { ExportImportActivities } from '../../workflows/export-import/types.ts';
import type pg from 'pg';
import { withHeartbeat } from '../heartbeat.ts';
import { NotConfigured } from '../failures.ts';

export interface ExportImportDependencies {
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly scope: TenantScope;
  readonly hints: WorkflowHints;
  /** Null where no store is set. */
  readonly archive: ArchiveStore | null;
  /** The index that a tenant without one gets. */
  readonly embeddingModel: IndexModel;
  readonly now: () => number;
  /** PKCS #8 DER of an Ed25519 key for receipts; null: they are not signed. */
  readonly signingKey: Uint8Array | null;
}

/** An export would be written again: begin later. Its code marks a conflict. */
class ErasureUnderWay extends Error {
  override readonly name = 'ErasureUnderWay';
  readonly code = '40001';
}

/** Time without an erasure before an export: retention forgets several sessions a second. */
const QUIET_MS = 2_000;

/** Exports and imports of rows, streamed. */
export function createExportImportActivities({
  maintenance,
  scope,
  hints,
  archive,
  embeddingModel,
  now,
  signingKey,
}: ExportImportDependencies): ExportImportActivities {
  const store = (): ArchiveStore => {
    if (archive === null) throw new NotConfigured('RECOLLECT_ARCHIVE_STORE: exports and imports require it');
    return archive;
  };
  const plainLines = (key: string, signal: AbortSignal) => unpackLines(store().read(key, signal));

  return {
    writeExport: ({ tenantId, jobId }) =>
      withHeartbeat(async (signal) => {
        const tenant = asId<TenantId>(tenantId);
        const job = await scope.asTenant(tenant, (transaction) => readExport(transaction, jobId));
        if (job === null || job.state !== 'running') return true;
        const startedAt = new Date(now());
        const quietSince = new Date(startedAt.getTime() - QUIET_MS);
        if (await scope.asTenant(tenant, (transaction) => isErasedSince(transaction, quietSince)))
          throw new ErasureUnderWay('something is being erased: the export begins afterwards');
        const client = await maintenance.connect();
        let written: WrittenRows | null = null;
        let file: WrittenObject;
        const lines = async function* () {
          const { scope: kind, subject, includeRestricted, userId } = job;
          const restrictedOf = includeRestricted ? null : userId;
          const rows = writeRows(client, { kind, tenantId, subject, restrictedOf }, signal);
          for (let next = await rows.next(); ; next = await rows.next()) {
            if (next.done === true) {
              written = next.value;
              return;
            }
            yield Buffer.from(next.value, 'utf8');
          }
        };
        try {
          file = await store().write(job.objectKey, packed(lines()), signal);
          client.release();
        } catch (error) {
          // The transaction of the rows may still be open: its connection is not reused.
          client.release(true);
          throw error;
        }
        // Assigned in the generator, which the compiler does not follow.
        const counts = (written as WrittenRows | null)?.rows ?? {};
        const isStored = await scope.asTenant(tenant, (transaction) =>
          finishExport(transaction, jobId, { ...file, counts, startedAt, signingKey }),
        );
        if (!isStored) await store().remove(job.objectKey, signal);
        return isStored;
      }),

    endExport: async ({ tenantId, jobId, state, error }) => {
      const tenant = asId<TenantId>(tenantId);
      const job = await scope.asTenant(tenant, (transaction) => readExport(transaction, jobId));
      if (job !== null && job.state === 'running') await archive?.remove(job.objectKey);
      await scope.asTenant(tenant, (transaction) => endExport(transaction, jobId, state, error));
    },

    readExportFile: ({ tenantId, jobId }) =>
      withHeartbeat(async (signal) => {
        const tenant = asId<TenantId>(tenantId);
        const job = await scope.asTenant(tenant, (transaction) => readFileImport(transaction, jobId));
        if (job === null) return;
        // The attempt that completed it may have ended before it removed the file.
        if (job.state !== 'running') return store().remove(job.objectKey, signal);
        // The complete file is verified before any row is written.
        if (job.lines === 0) await checkLines(plainLines(job.objectKey, signal), signal);
        const { read, written } = await readRows(maintenance, plainLines(job.objectKey, signal), tenant, {
          index: embeddingModel,
          done: job,
          signal,
          onBatch: (client, progress) => notePortableProgress(client, jobId, progress),
        });
        await scope.asTenant(tenant, (transaction) =>
          endFileImport(transaction, jobId, { state: 'completed', error: null, counts: { read, written } }),
        );
        await store().remove(job.objectKey, signal);
        // Live sessions and new vectors continue from here; the sweep resends a lost hint.
        await hints.index(tenant).catch(() => undefined);
      }),

    endFileImport: async ({ tenantId, jobId, state, error }) => {
      const tenant = asId<TenantId>(tenantId);
      const job = await scope.asTenant(tenant, (transaction) => readFileImport(transaction, jobId));
      if (job === null) return;
      await archive?.remove(job.objectKey);
      await scope.asTenant(tenant, (transaction) => endFileImport(transaction, jobId, { state, error }));
    },

    expireExports: async () => ({ expired: archive === null ? 0 : await removeDueExports(maintenance, archive) }),
  };
}
