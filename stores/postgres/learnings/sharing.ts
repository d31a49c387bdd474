import { z } from 'zod';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { DEFAULT_VISIBILITY, VISIBILITIES, VISIBILITY_SETTING } from '../../../domain/learning/visibility.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import { readTenantSetting, writeTenantSetting } from '../access/tenant-settings.ts';
import type { TenantTransaction } from '../connection/database.ts';

/** Returns the visibility of a tenant's new learnings, and when it was set; null: never. */
export async function readSharing(
  transaction: TenantTransaction,
  tenantId: TenantId,
): Promise<{ readonly visibility: Visibility; readonly updatedAt: Date | null }> {
  const { value, updatedAt } = await readTenantSetting(transaction, tenantId, VISIBILITY_SETTING);
  return { visibility: z.enum(VISIBILITIES).parse(value ?? DEFAULT_VISIBILITY), updatedAt };
}

/** Sets the visibility of a tenant's new learnings; others are unchanged. */
export async function writeSharing(
  transaction: TenantTransaction,
  tenantId: TenantId,
  by: UserId,
  value: Visibility,
): Promise<void> {
  await writeTenantSetting(transaction, tenantId, by, VISIBILITY_SETTING, value);
}
