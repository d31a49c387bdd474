import { z } from 'zod';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { readTenantSetting, writeTenantSetting } from '../access/tenant-settings.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { EXCLUDE_SETTING } from '../../../domain/capture/exclusions.ts';

const globList = z.array(z.string());

/** Returns the globs of a tenant; empty if unset. */
export async function readExclusions(database: Database, tenantId: TenantId): Promise<string[]> {
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({
      name: 'read_exclusions',
      text: "SELECT value FROM settings WHERE scope = 'tenant' AND scope_id = $1 AND key = $2",
      values: [tenantId, EXCLUDE_SETTING],
    }),
  );
  const [row] = z.array(z.object({ value: globList.nullable() })).parse(rows);
  return row?.value ?? [];
}

export interface StoredExclusions {
  readonly value: readonly string[];
  readonly updatedAt: Date | null;
}

/** Returns the globs with their time of change. */
export async function readExcludeSetting(
  transaction: TenantTransaction,
  tenantId: TenantId,
): Promise<StoredExclusions> {
  const { value, updatedAt } = await readTenantSetting(transaction, tenantId, EXCLUDE_SETTING);
  return { value: globList.parse(value ?? []), updatedAt };
}

/** Replaces a tenant's globs. */
export async function writeExclusions(
  transaction: TenantTransaction,
  tenantId: TenantId,
  by: UserId,
  globs: readonly string[],
): Promise<void> {
  await writeTenantSetting(transaction, tenantId, by, EXCLUDE_SETTING, [...globs]);
}
