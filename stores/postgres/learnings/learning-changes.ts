import { createHash } from 'node:crypto';
import { z } from 'zod';
import { chunkText } from '../../../domain/chunking.ts';
import { newId } from '../../../domain/ids.ts';
import { visibilityOf } from '../../../domain/learning/visibility.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { LearningCategory } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf, rowOf } from '../connection/rows.ts';
import { requestEmbeddings } from '../embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../embeddings/embedding-ledger.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { EVIDENCE_FORGOTTEN } from '../erasure/forgotten.ts';
import { assertNoLearningUnderLegalHold } from '../retention/legal-holds.ts';
import { DELETED } from './learning-list.ts';
import { exactFingerprint, learningFingerprint, learningText } from './learnings.ts';

/** The user who changes a learning, and the model of its vectors. */
export interface LearningEditor {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly embeddingModel: EmbeddingModel;
}

/** Content of a learning. */
export interface LearningWords {
  readonly category: LearningCategory;
  readonly title: string;
  readonly description: string;
  readonly context: string;
  readonly examples: readonly string[];
  readonly tags: readonly string[];
}

export interface HandWrittenLearning extends LearningWords {
  readonly projectId: string | null;
  readonly namespace: string;
  /** Owner of a private learning; null: a shared one of the editor. */
  readonly ownerId: string | null;
  /** 0–1 */
  readonly confidence: number;
  /** Quotes that were found in their rows. */
  readonly evidence: readonly { readonly rowId: string; readonly sessionId: string; readonly quote: string }[];
}

/** Knowledge that is open under the same words: nothing was written. */
export interface KnownAlready {
  readonly knownId: string;
}
export type Written = { readonly id: string } | KnownAlready;

const lockedRow = rowOf({
  id: z.string(),
  /** Owner of the session, or the user who wrote it. */
  user_id: z.string(),
  project_id: z.string().nullable(),
  namespace: z.string(),
  category: z.custom<LearningCategory>((value) => typeof value === 'string'),
  title: z.string(),
  description: z.string(),
  context: z.string(),
  examples: z.array(z.string()).readonly(),
  tags: z.array(z.string()).readonly(),
  fingerprint: z.instanceof(Uint8Array),
  open: z.boolean(),
  version: z.number(),
  /** Owner of a private learning; null for a shared one. */
  owner_id: z.string().nullable(),
});

/** A learning whose row is locked until the transaction ends. */
export type LockedLearning = z.output<typeof lockedRow>;

/** Locks learnings in the order of their ids, so that concurrent changes do not deadlock; omits deleted and missing ones. */
export async function lockLearnings(transaction: TenantTransaction, ids: readonly string[]): Promise<LockedLearning[]> {
  const rows = await transaction.$queryRaw`
    SELECT id, user_id, project_id, namespace, category, title, description, context, examples, tags, fingerprint, valid_to IS NULL AS open, version,
           CASE WHEN visibility = 'private' THEN user_id END AS owner_id FROM learnings
     WHERE id = ANY (${ids}::uuid[]) AND (reason IS NULL OR reason NOT IN (${DELETED}, ${EVIDENCE_FORGOTTEN})) ORDER BY id FOR UPDATE`;
  return z.array(lockedRow).parse(rows);
}

/** Requests the vectors of a learning. */
export async function embed(transaction: TenantTransaction, editor: LearningEditor, id: string, words: LearningWords) {
  await requestEmbeddings(transaction, editor.tenantId, editor.embeddingModel, [
    { type: 'learning', id, sessionId: null, chunks: chunkText(words.title, learningText(words)) },
  ]);
}

/** Returns the current learning with this fingerprint, which prevented the write. */
export async function openTwin(
  transaction: TenantTransaction,
  tenantId: TenantId,
  fingerprint: Uint8Array<ArrayBuffer>,
): Promise<KnownAlready> {
  const twin = await transaction.learning.findFirstOrThrow({
    where: { tenantId, fingerprint, validTo: null },
    select: { id: true },
  });
  return { knownId: twin.id };
}

/** Writes knowledge that a person gives by hand, with what it quotes. */
export async function writeByHand(
  transaction: TenantTransaction,
  editor: LearningEditor,
  given: HandWrittenLearning,
): Promise<Written> {
  const fingerprint = learningFingerprint(given);
  const [id] = idsOf(
    await transaction.$queryRaw`
      INSERT INTO learnings (id, tenant_id, project_id, user_id, namespace, fingerprint, category, title, description, context, examples, tags, confidence, valid_from, origin, visibility)
      VALUES (${newId()}::uuid, ${editor.tenantId}::uuid, ${given.projectId}::uuid, ${given.ownerId ?? editor.userId}::uuid, ${given.namespace}, ${fingerprint}, ${given.category}, ${given.title},
              ${given.description}, ${given.context}, ${JSON.stringify(given.examples)}::jsonb, ${[...given.tags]}::text[], ${given.confidence}, date_trunc('milliseconds', now()), 'user', ${visibilityOf(given.ownerId)})
      ON CONFLICT (tenant_id, fingerprint) WHERE (valid_to IS NULL) DO NOTHING RETURNING id`,
  );
  if (id === undefined) return openTwin(transaction, editor.tenantId, fingerprint);
  await transaction.learningEvidence.createMany({
    skipDuplicates: true,
    data: given.evidence.map((piece) => ({
      learningId: id,
      tenantId: editor.tenantId,
      ...piece,
      quoteSha256: new Uint8Array(createHash('sha256').update(piece.quote, 'utf8').digest()),
    })),
  });
  await embed(transaction, editor, id, given);
  return { id };
}

/**
 * Closes a current, locked learning: it remains readable as of the time when it was valid; search no longer finds it, and its vectors are removed. `by`
 * replaces it. @throws LegalHoldError
 */
export async function closeLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  id: string,
  { reason, by = null }: { readonly reason: string; readonly by?: string | null },
): Promise<void> {
  await assertNoLearningUnderLegalHold(transaction, [id]);
  await transaction.$executeRaw`
    UPDATE learnings SET valid_to = greatest(date_trunc('milliseconds', now()), valid_from), reason = ${reason}, superseded_by = ${by}::uuid, closed_by = ${editor.userId}::uuid,
           updated_at = now() WHERE id = ${id}::uuid AND valid_to IS NULL`;
  await requestRemoval(transaction, [id]);
}

/** Fingerprint of a current learning: of its normalised words, or of the exact text of a user's memory. */
export type Sameness = 'words' | 'letters';

/** Returns the fingerprint for these words in their scope: that of the exact text if another learning has that of the words; or the learning that conflicts. */
export async function freePrint(
  transaction: TenantTransaction,
  tenantId: TenantId,
  learning: Pick<LockedLearning, 'projectId' | 'namespace' | 'ownerId' | 'category' | 'description'>,
  sameness: Sameness,
): Promise<Uint8Array<ArrayBuffer> | KnownAlready> {
  const own = learningFingerprint(learning);
  const exact = exactFingerprint(learning);
  const open = await transaction.learning.findMany({
    where: { tenantId, validTo: null, fingerprint: { in: [own, exact] } },
    select: { id: true, description: true },
  });
  const twin = open.find((row) => sameness === 'words' || row.description === learning.description);
  if (twin !== undefined) return { knownId: twin.id };
  return open.length === 0 ? own : exact;
}

/** Replaces a current, locked learning by new knowledge, which is as private as it was, and closes it with the reason. */
export async function supersedeLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  old: LockedLearning,
  given: Omit<HandWrittenLearning, 'ownerId'>,
  reason: string,
): Promise<Written> {
  // Closed first: the new words may be its own.
  await closeLearning(transaction, editor, old.id, { reason });
  const written = await writeByHand(transaction, editor, { ...given, ownerId: old.ownerId });
  if ('knownId' in written) return written;
  await transaction.$executeRaw`
    UPDATE learnings SET superseded_by = ${written.id}::uuid WHERE id = ${old.id}::uuid`;
  await transaction.$executeRaw`
    UPDATE learnings l SET previous_id = o.id, version = o.version + 1, valid_from = o.valid_to FROM learnings o WHERE l.id = ${written.id}::uuid AND o.id = ${old.id}::uuid`;
  return written;
}

/** Records that a user verified a current, locked learning. */
export async function verifyLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  id: string,
  note: string | null,
): Promise<void> {
  await transaction.$executeRaw`
    UPDATE learnings SET verified_by = ${editor.userId}::uuid, verified_at = now(), verify_note = ${note}, updated_at = now() WHERE id = ${id}::uuid`;
}

/** Takes the verification of a current, locked learning back; does nothing if there is none. */
export async function unverifyLearning(transaction: TenantTransaction, id: string): Promise<void> {
  await transaction.$executeRaw`
    UPDATE learnings SET verified_by = NULL, verified_at = NULL, verify_note = NULL, updated_at = now() WHERE id = ${id}::uuid AND verified_at IS NOT NULL`;
}

/** Deletes (soft) a learning and its former versions; returns their ids. @throws LegalHoldError */
export async function deleteLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  id: string,
): Promise<readonly string[]> {
  const ids = idsOf(
    await transaction.$queryRaw`
      WITH RECURSIVE older AS (
        SELECT l.id, l.previous_id, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
        UNION ALL
        SELECT l.id, l.previous_id, older.depth + 1 FROM older JOIN learnings l ON l.id = older.previous_id WHERE older.depth < 100
      )
      UPDATE learnings l SET valid_to = coalesce(l.valid_to, greatest(date_trunc('milliseconds', now()), l.valid_from)), reason = ${DELETED}, closed_by = ${editor.userId}::uuid, updated_at = now()
       WHERE l.id IN (SELECT id FROM older) AND l.reason IS DISTINCT FROM ${EVIDENCE_FORGOTTEN} RETURNING l.id`,
  );
  await assertNoLearningUnderLegalHold(transaction, ids);
  await requestRemoval(transaction, ids);
  return ids;
}
