import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { DEFAULT_VISIBILITY, VISIBILITIES, VISIBILITY_SETTING } from '../../../domain/learning/visibility.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import type { TenantTransaction } from '../connection/database.ts';

const nameOf = (tenantId: TenantId) => ({ scope: 'tenant', scopeId: tenantId, key: VISIBILITY_SETTING });

/** Returns the visibility of a tenant's new learnings, and when it was set; null: never. */
export async function readSharing(
  transaction: TenantTransaction,
  tenantId: TenantId,
): Promise<{ readonly visibility: Visibility; readonly updatedAt: Date | null }> {
  const found = await transaction.setting.findUnique({
    where: { scope_scopeId_key: nameOf(tenantId) },
    select: { value: true, updatedAt: true },
  });
  const visibility = found === null ? DEFAULT_VISIBILITY : z.enum(VISIBILITIES).parse(found.value);
  return { visibility, updatedAt: found?.updatedAt ?? null };
}

/** Sets the visibility of a tenant's new learnings; others are unchanged. */
export async function writeSharing(
  transaction: TenantTransaction,
  tenantId: TenantId,
  by: UserId,
  value: Visibility,
): Promise<void> {
  const change = { value, updatedAt: new Date(), updatedBy: by };
  await transaction.setting.upsert({
    where: { scope_scopeId_key: nameOf(tenantId) },
    create: { id: newId(), tenantId, ...nameOf(tenantId), ...change },
    update: change,
  });
}
