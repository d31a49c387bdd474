import { z } from 'zod';
import { COMPARED_BYTES } from '../../../domain/learning/compare.ts';
import { LEARNING_CATEGORIES } from '../../../domain/ports/model.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf, millisColumn, rowOf } from '../connection/rows.ts';

/** A project, or none, with a namespace: knowledge of one project does not apply to another. */
export interface ProjectScope {
  readonly projectId: string | null;
  readonly namespace: string;
}

/** Scope in which learnings are compared: private learnings are compared with no others. */
export interface LearningScope extends ProjectScope {
  /** Owner of the private learnings; null: the shared ones. */
  readonly ownerId: string | null;
}

/** `project_id` equals the project or both are null. No index serves `IS NOT DISTINCT FROM`. */
export function inProject(projectId: string | null): Prisma.Sql {
  return projectId === null ? Prisma.sql`project_id IS NULL` : Prisma.sql`project_id = ${projectId}::uuid`;
}

/** Condition: the learning is in the scope. The literals imply the condition of an index. */
export function inScope({ projectId, namespace, ownerId }: LearningScope): Prisma.Sql {
  const ofOwner =
    ownerId === null
      ? Prisma.sql`visibility = 'shared'`
      : Prisma.sql`visibility = 'private' AND user_id = ${ownerId}::uuid`;
  return Prisma.sql`${inProject(projectId)} AND namespace = ${namespace} AND ${ofOwner}`;
}

/** In a larger scope only the newest are compared by words; all are compared by vectors. Ranking one takes some microseconds. */
const MAX_RANKED = 2_000;

const currentRow = rowOf({
  id: z.string(),
  /** Owner of the session, or the user who wrote it. */
  user_id: z.string(),
  category: z.enum(LEARNING_CATEGORIES),
  title: z.string(),
  description: z.string(),
  confidence: z.number(),
  verified: z.boolean(),
  /** Written or reworded by a user. */
  by_hand: z.boolean(),
  version: z.number(),
  /** When its newest evidence happened. */
  occurred_at_ms: millisColumn,
});
const currentRows = z.array(currentRow);

/** A current learning with the data for comparisons. */
export type CurrentLearning = z.output<typeof currentRow>;

/** The learnings of these ids that stand in the scope and are short enough to be compared, in no given order. */
export async function readCurrent(
  transaction: TenantTransaction,
  scope: LearningScope,
  ids: readonly string[],
): Promise<CurrentLearning[]> {
  if (ids.length === 0) return [];
  return currentRows.parse(
    await transaction.$queryRaw`
      SELECT id, user_id, category, title, description, confidence, verified_at IS NOT NULL AS verified, origin = 'user' AS by_hand, version, coalesce(occurred_at, valid_from) AS occurred_at_ms
        FROM learnings
       WHERE id = ANY (${ids}::uuid[]) AND valid_to IS NULL AND ${inScope(scope)} AND octet_length(description) <= ${COMPARED_BYTES}`,
  );
}

/**
 * Returns those of the scope's newest current learnings that share words with a text, best first. Does not use `@@`: it is not leakproof, so a policy
 * prevents the use of the word index, while the index of current learnings returns the newest at once. PostgreSQL treats a text in a script without spaces
 * as one word, so the newest learnings fill up the result to `limit`.
 */
export async function wordNeighbours(
  transaction: TenantTransaction,
  scope: LearningScope,
  words: readonly string[],
  limit: number,
): Promise<CurrentLearning[]> {
  const query = words
    .map((word) => word.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim())
    .filter((word) => word !== '')
    .map((word) => word.split(' ').join(' <-> '))
    .join(' | ');
  return currentRows.parse(
    await transaction.$queryRaw`
      SELECT id, user_id, category, title, description, confidence, verified_at IS NOT NULL AS verified, origin = 'user' AS by_hand, version, coalesce(occurred_at, valid_from) AS occurred_at_ms
        FROM (SELECT * FROM learnings WHERE ${inScope(scope)} AND valid_to IS NULL AND octet_length(description) <= ${COMPARED_BYTES}
                ORDER BY id DESC LIMIT ${MAX_RANKED}) AS newest,
             to_tsquery('english', ${query}) AS wanted
       ORDER BY ts_rank(search, wanted, 1) DESC, id DESC LIMIT ${limit}`,
  );
}

/** Returns the id of the newest learning of the scope, current or closed; null if there is none. */
export async function newestLearning(transaction: TenantTransaction, scope: LearningScope): Promise<string | null> {
  const [newest] = idsOf(
    await transaction.$queryRaw`SELECT id FROM learnings WHERE ${inScope(scope)} ORDER BY id DESC LIMIT 1`,
  );
  return newest ?? null;
}
