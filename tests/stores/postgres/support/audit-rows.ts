import type { AuditVerification } from '../../../../domain/audit/verification.ts';
import { verifyAudit } from '../../../../stores/postgres/audit/verify.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';

/** Rows per transaction: each leaves a version of the head, which the next one passes. */
const ROWS_AT_ONCE = 500;

/** Appends rows to the audit log of a user's tenant. */
export async function appendRows(db: TestDatabase, { tenantId, userId }: TestUser, rows: number): Promise<void> {
  for (let first = 1; first <= rows; first += ROWS_AT_ONCE)
    await db.database.pool.query(
      `SELECT append_audit($1, $2, NULL, NULL, 'POST /probe', 'probes', n::text, 200, 'request-' || n, '10.0.0.1', 'probe/1')
         FROM generate_series($3::integer, $4::integer) AS n`,
      [tenantId, userId, first, Math.min(rows, first + ROWS_AT_ONCE - 1)],
    );
}

/** Verifies the tenant of a user as the application's role. */
export const verified = (db: TestDatabase, { tenantId }: Pick<TestUser, 'tenantId'>): Promise<AuditVerification> =>
  verifyAudit(db.database, tenantId);
