import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { deleteLearning } from '../learnings/learning-changes.ts';
import type { LearningEditor } from '../learnings/learning-changes.ts';
import { requestRewrite } from '../embeddings/embedding-rewrites.ts';
import { forgetGraph } from '../graph/graph-writes.ts';
import { idsOf } from '../connection/rows.ts';
import { addTombstones } from '../erasure/forgotten.ts';

/** Fields of a captured event that may change; the event itself is unchanged. */
export interface ObservationChange {
  readonly tags?: readonly string[] | undefined;
  /** 0–1 */
  readonly importance?: number | undefined;
  readonly flagged?: boolean | undefined;
}

/** Changes the fields of an observation that users may change, and requests its vectors again, because they contain its tags. */
export async function changeObservation(
  transaction: TenantTransaction,
  id: string,
  { tags, importance, flagged }: ObservationChange,
): Promise<void> {
  await transaction.$executeRaw`
    UPDATE observations SET tags = coalesce(${tags === undefined ? null : [...tags]}::text[], tags), importance = coalesce(${importance ?? null}::real, importance),
           flagged = coalesce(${flagged ?? null}::boolean, flagged) WHERE id = ${id}::uuid`;
  await requestRewrite(transaction, [id]);
}

/** Sets the confidence of a locked learning, 0 to 1. */
export async function weighLearning(transaction: TenantTransaction, id: string, confidence: number): Promise<void> {
  await transaction.$executeRaw`
    UPDATE learnings SET confidence = ${confidence}::real, updated_at = now() WHERE id = ${id}::uuid`;
}

/** The newest version of a learning: itself, or the last that was made of it by correcting or refining. */
export async function newestVersion(transaction: TenantTransaction, id: string): Promise<string> {
  const rows = idsOf(
    await transaction.$queryRaw`
      WITH RECURSIVE newer AS (
        SELECT l.id, l.version, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
        UNION ALL
        SELECT l.id, l.version, newer.depth + 1 FROM newer JOIN learnings l ON l.previous_id = newer.id WHERE newer.depth < 100)
      SELECT id FROM newer ORDER BY depth DESC, version DESC, id DESC LIMIT 1`,
  );
  return rows[0] ?? id;
}

/** Returns the owner of a learning and of every version that it replaced. */
export async function ownersOfVersions(transaction: TenantTransaction, id: string): Promise<readonly string[]> {
  const rows = z.array(z.object({ user_id: z.string() })).parse(
    await transaction.$queryRaw`
      WITH RECURSIVE older AS (
        SELECT l.user_id, l.previous_id, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
        UNION ALL
        SELECT l.user_id, l.previous_id, older.depth + 1 FROM older JOIN learnings l ON l.id = older.previous_id WHERE older.depth < 100)
      SELECT DISTINCT user_id FROM older`,
  );
  return rows.map((row) => row.user_id);
}

/** Returns the ids of the rows that a learning and every version that it replaced quote. */
export async function rowsQuoted(transaction: TenantTransaction, id: string): Promise<readonly string[]> {
  return idsOf(
    await transaction.$queryRaw`
      WITH RECURSIVE older AS (
        SELECT l.id, l.previous_id, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
        UNION ALL
        SELECT l.id, l.previous_id, older.depth + 1 FROM older JOIN learnings l ON l.id = older.previous_id WHERE older.depth < 100)
      SELECT DISTINCT e.row_id AS id FROM older JOIN learning_evidence e ON e.learning_id = older.id`,
  );
}

/** Returns the ids of the rows that a summary quotes; of the prompts at its positions if it quotes none. */
export async function rowsSummarised(transaction: TenantTransaction, id: string): Promise<readonly string[]> {
  return idsOf(
    await transaction.$queryRaw`
      SELECT DISTINCT piece ->> 'rowId' AS id FROM summaries u CROSS JOIN jsonb_array_elements(u.evidence) AS piece WHERE u.id = ${id}::uuid
      UNION
      SELECT p.id::text FROM summaries u JOIN prompts p ON p.session_id = u.session_id AND p.seq BETWEEN u.from_seq AND u.to_seq
       WHERE u.id = ${id}::uuid AND jsonb_array_length(u.evidence) = 0`,
  );
}

/**
 * Forgets a locked learning with all versions that it replaced: deletes their texts, quotes, graph evidence and vectors. Fingerprints remain
 * as hashes, so that no session learns the same text again; a user may store it again. Tombstones reject the rows of a backup. Returns the ids. @throws LegalHoldError
 */
export async function forgetLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  id: string,
): Promise<readonly string[]> {
  const ids = await deleteLearning(transaction, editor, id);
  await transaction.$executeRaw`
    UPDATE learnings SET title = 'Forgotten', description = '', context = '', examples = '[]', tags = '{}', verify_note = NULL, reopen_reason = NULL WHERE id = ANY (${ids}::uuid[])`;
  const quoted = z
    .array(z.object({ session_id: z.string() }))
    .parse(
      await transaction.$queryRaw`DELETE FROM learning_evidence WHERE learning_id = ANY (${ids}::uuid[]) RETURNING session_id`,
    );
  // The graph knows a learning by the sessions that taught it.
  for (const sessionId of new Set(quoted.map((row) => row.session_id))) await forgetGraph(transaction, sessionId, ids);
  await addTombstones(transaction, ids);
  return ids;
}
