import type pg from 'pg';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { addAnchors, alertAuditFault } from '../../stores/postgres/audit/anchors.ts';
import { verifyAudit } from '../../stores/postgres/audit/verify.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { AuditActivities } from '../../workflows/operations/types.ts';
import { publicKeyOf } from '../backup/manifest.ts';
import { listSets, readManifest } from '../backup/read-manifest.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';

export interface AuditDependencies {
  readonly database: Pick<Database, 'readAsTenant'>;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Stores of the backups and of their copies. */
  readonly stores: readonly ArchiveStore[];
  /** PKCS #8 DER, Ed25519; null: no manifest is trusted. */
  readonly signingKey: Uint8Array | null;
}

/** Verification of the audit log. Repeatable. */
export function createAuditActivities({
  database,
  maintenance,
  stores,
  signingKey,
}: AuditDependencies): AuditActivities {
  return {
    collectAuditAnchors: () =>
      withHeartbeat(async (signal) => {
        const counts = { manifests: 0, unreadable: 0 };
        // Only this instance's own signature vouches for its chain: another instance that was restored from a backup continues it differently.
        if (signingKey === null) return counts;
        for (const store of stores)
          for (const { id } of (await listSets(store, signal)).complete) {
            reportProgress(signal);
            try {
              const manifest = await readManifest(store, id, [publicKeyOf(signingKey)], signal);
              await addAnchors(maintenance, manifest.audit, new Date(manifest.snapshotAt));
              counts.manifests += 1;
            } catch (error) {
              signal.throwIfAborted();
              const isOneSet = error instanceof ArchiveStoreError && error.kind === 'missing';
              if (!isOneSet && !(error instanceof BackupSetError)) throw error;
              counts.unreadable += 1;
            }
          }
        return counts;
      }),
    verifyAuditLog: (input) =>
      withHeartbeat(async (signal) => {
        const tenantId = asId<TenantId>(input.tenantId);
        const { checked, fault } = await verifyAudit(database, tenantId, () => reportProgress(signal));
        if (fault !== null) await alertAuditFault(maintenance, tenantId, fault);
        return { checked, isIntact: fault === null };
      }),
  };
}
