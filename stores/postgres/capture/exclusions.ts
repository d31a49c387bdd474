import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
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

export interface StoredSetting {
  readonly key: string;
  readonly value: readonly string[];
  readonly updatedAt: Date | null;
}

/** Returns the setting with its time of change. */
export async function readExcludeSetting(transaction: TenantTransaction, tenantId: TenantId): Promise<StoredSetting> {
  const found = await transaction.setting.findUnique({
    where: { scope_scopeId_key: { scope: 'tenant', scopeId: tenantId, key: EXCLUDE_SETTING } },
    select: { value: true, updatedAt: true },
  });
  return { key: EXCLUDE_SETTING, value: globList.parse(found?.value ?? []), updatedAt: found?.updatedAt ?? null };
}

/** Replaces a tenant's globs. */
export async function writeExclusions(
  transaction: TenantTransaction,
  tenantId: TenantId,
  by: UserId,
  globs: readonly string[],
): Promise<void> {
  const change = { value: [...globs], updatedAt: new Date(), updatedBy: by };
  await transaction.setting.upsert({
    where: { scope_scopeId_key: { scope: 'tenant', scopeId: tenantId, key: EXCLUDE_SETTING } },
    create: { id: newId(), scope: 'tenant', tenantId, scopeId: tenantId, key: EXCLUDE_SETTING, ...change },
    update: change,
  });
}
