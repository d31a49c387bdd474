import { z } from 'zod';
import type { DataClass } from '../../../domain/data-classes.ts';
import { glossaryOf } from '../../../domain/graph/names.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { columnOf } from '../connection/rows.ts';
import type { ProjectScope } from '../learnings/learning-neighbours.ts';

/** Entities read for one glossary. */
const CANDIDATES = 80;
/** Outside models may read rows of these classes with every setting that allows rows at all; names that only other rows mention are not in a glossary. */
const UNCLASSIFIED: readonly DataClass[] = ['public', 'internal'];
/** Of summaries and learnings, which have no stored class: their names are classified when they would leave. */
const DERIVED: DataClass = 'internal';

/** Midnight (UTC) of the day. */
function dayOf(nowMs: number): Date {
  return new Date(Math.floor(nowMs / 86_400_000) * 86_400_000);
}

/**
 * Returns the names of a project in a namespace by descending weight, at most 40 and about 300 tokens: identical bytes in every call of one UTC day,
 * so that providers can cache the prefix of model requests. The first call of a day that finds names fixes them. A session without a project has
 * none. Providers are sent it, so that each name is in a row that they may read, or in a summary or learning.
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
  const labels = columnOf(
    await transaction.$queryRaw`
      SELECT e.label FROM entities e
       WHERE e.project_id = ${projectId}::uuid AND e.namespace = ${namespace} AND e.type IN ('file', 'tool', 'concept', 'error') AND e.weight > 0
         AND EXISTS (SELECT FROM entity_mentions m LEFT JOIN observations o ON m.source_type = 'observation' AND o.id = m.source_id
                       LEFT JOIN prompts p ON m.source_type = 'prompt' AND p.id = m.source_id
                      WHERE m.entity_id = e.id AND coalesce(o.data_class, p.data_class, ${DERIVED}) = ANY (${UNCLASSIFIED}::text[]))
       ORDER BY e.weight DESC, e.id LIMIT ${CANDIDATES}`,
    'label',
    z.string(),
  );
  const names = glossaryOf(labels);
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
