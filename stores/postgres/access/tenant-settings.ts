import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';

const nameOf = (tenantId: TenantId, key: string) => ({ scope: 'tenant', scopeId: tenantId, key });

/** Returns the value of a tenant's setting and when it was set; nulls: never. */
export async function readTenantSetting(
  transaction: TenantTransaction,
  tenantId: TenantId,
  key: string,
): Promise<{ readonly value: unknown; readonly updatedAt: Date | null }> {
  const found = await transaction.setting.findUnique({
    where: { scope_scopeId_key: nameOf(tenantId, key) },
    select: { value: true, updatedAt: true },
  });
  return found ?? { value: null, updatedAt: null };
}

/** Replaces the value of a tenant's setting. */
export async function writeTenantSetting(
  transaction: TenantTransaction,
  tenantId: TenantId,
  by: UserId,
  key: string,
  value: Prisma.InputJsonValue,
): Promise<void> {
  const change = { value, updatedAt: new Date(), updatedBy: by };
  await transaction.setting.upsert({
    where: { scope_scopeId_key: nameOf(tenantId, key) },
    create: { id: newId(), tenantId, ...nameOf(tenantId, key), ...change },
    update: change,
  });
}
