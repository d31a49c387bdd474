import { glossaryOf } from '../../../domain/graph/names.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { ProjectScope } from '../learnings/learning-neighbours.ts';

/** Entities read for one glossary. */
const CANDIDATES = 80;

/** Midnight (UTC) of the day. */
function dayOf(nowMs: number): Date {
  return new Date(Math.floor(nowMs / 86_400_000) * 86_400_000);
}

/**
 * Returns the names of a project in a namespace by descending weight, at most 40 and about 300 tokens: identical bytes in every call of one UTC day,
 * so that providers can cache the prefix of model requests. The first call of a day that finds names fixes them. A session without a project has
 * none.
 */
export async function projectGlossary(
  transaction: TenantTransaction,
  tenantId: TenantId,
  { projectId, namespace }: ProjectScope,
  nowMs: number,
): Promise<readonly string[]> {
  if (projectId === null) return [];
  const day = dayOf(nowMs);
  const where = { projectId_namespace_day: { projectId, namespace, day } };
  const known = await transaction.projectGlossary.findUnique({
    where,
    select: { names: true },
  });
  if (known !== null) return known.names;
  // The prefix already contains the name of the project.
  const entities = await transaction.entity.findMany({
    where: { projectId, namespace, type: { in: ['file', 'tool', 'concept', 'error'] }, weight: { gt: 0 } },
    orderBy: [{ weight: 'desc' }, { id: 'asc' }],
    take: CANDIDATES,
    select: { label: true },
  });
  const names = glossaryOf(entities.map((entity) => entity.label));
  // On a project's first day it must not be fixed before there is anything to name.
  if (names.length === 0) return [];
  await transaction.projectGlossary.createMany({
    data: [{ projectId, namespace, day, tenantId, names: [...names] }],
    skipDuplicates: true,
  });
  // Reads the stored row: another session may have written it first.
  const fixed = await transaction.projectGlossary.findUniqueOrThrow({
    where,
    select: { names: true },
  });
  return fixed.names;
}

/** Deletes glossaries that may contain forgotten names; the next call creates a new one. */
export async function dropGlossaries(transaction: TenantTransaction, projectIds: readonly string[]): Promise<void> {
  if (projectIds.length > 0)
    await transaction.projectGlossary.deleteMany({ where: { projectId: { in: [...projectIds] } } });
}
