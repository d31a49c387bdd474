import type { Principal } from '../stores/postgres/access/api-keys.ts';
import type { Database, TenantTransaction } from '../stores/postgres/connection/database.ts';
import { readErasure } from '../stores/postgres/erasure/erasures.ts';
import { readExport } from '../stores/postgres/exports/exports.ts';
import { readImport } from '../stores/postgres/imports/imports.ts';
import { readFileImport } from '../stores/postgres/imports/file-imports.ts';
import { findOwnedSession } from '../stores/postgres/sessions/sessions.ts';
import type { JobName } from '../stores/temporal/job-ids.ts';
import { isAdmin, seekerOf } from './auth.ts';
import { ApiError } from './errors.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns the owner of a job: of its session or its import; null for a job of the tenant. */
async function ownerOf(
  transaction: TenantTransaction,
  principal: Principal,
  { kind, subject }: JobName,
): Promise<string | null> {
  if (!UUID.test(subject)) return null;
  switch (kind) {
    case 'session':
    case 'learning':
      return (await findOwnedSession(transaction, subject, seekerOf(principal)))?.userId ?? null;
    case 'import':
      return (
        (await readImport(transaction, subject))?.userId ?? (await readFileImport(transaction, subject))?.userId ?? null
      );
    case 'export':
      return (await readExport(transaction, subject))?.userId ?? null;
    case 'erasure':
      return (await readErasure(transaction, subject))?.requestedBy ?? null;
    case 'index':
    case 'reindex':
    case 'retention':
    case 'batch':
    case 'check':
    case 'backup':
    case 'restore':
    case 'operation':
      return null;
  }
}

/** Lets pass whose job it is, and admins. @throws ApiError FORBIDDEN */
export async function assertNoForeignRows(database: Database, principal: Principal, job: JobName): Promise<void> {
  if (isAdmin(principal)) return;
  const owner = await database.asTenant(principal.tenantId, (transaction) => ownerOf(transaction, principal, job));
  if (owner !== principal.userId)
    throw new ApiError('FORBIDDEN', 'only the owner of a job or an admin may cancel or retry it');
}
