import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { Database } from '../connection/database.ts';

/** A user's session by its host's name. It is stored as a hash: nothing of excluded sessions is stored. */
export interface SessionName {
  readonly userId: UserId;
  readonly host: string;
  readonly externalId: string;
}

function hashOf({ userId, host, externalId }: SessionName): Buffer {
  return createHash('sha256').update(`${userId}\u0000${host}\u0000${externalId}`, 'utf8').digest();
}

const hashRow = z.object({ name: z.string() });

/** Returns for each session, in order, whether it was last seen in an excluded folder. */
export async function readExcludedSessions(
  database: Database,
  tenantId: TenantId,
  names: readonly SessionName[],
): Promise<boolean[]> {
  const hashes = names.map(hashOf);
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({
      name: 'read_excluded_sessions',
      text: "SELECT encode(name_sha256, 'hex') AS name FROM excluded_sessions WHERE tenant_id = $1 AND name_sha256 = ANY ($2::bytea[])",
      values: [tenantId, hashes],
    }),
  );
  const excluded = new Set(
    z
      .array(hashRow)
      .parse(rows)
      .map((row) => row.name),
  );
  return hashes.map((hash) => excluded.has(hash.toString('hex')));
}

/** Records that a session entered or left an excluded folder. Idempotent. */
export async function writeExcludedSession(
  database: Database,
  tenantId: TenantId,
  name: SessionName,
  isExcluded: boolean,
): Promise<void> {
  const nameSha256 = new Uint8Array(hashOf(name));
  await database.asTenant(tenantId, async (transaction) => {
    if (isExcluded)
      await transaction.excludedSession.createMany({ data: [{ tenantId, nameSha256 }], skipDuplicates: true });
    else await transaction.excludedSession.deleteMany({ where: { tenantId, nameSha256 } });
  });
}
