import { newId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { assertNoLearningUnderLegalHold } from '../retention/legal-holds.ts';
import { closeLearning, embed, freePrint, openTwin } from './learning-changes.ts';
import type { LearningEditor, LearningWords, LockedLearning, Sameness, Written } from './learning-changes.ts';
import { exactFingerprint } from './learnings.ts';

/** Reason of a learning that was replaced by a corrected version. */
export const CORRECTED = 'corrected';

/** True for a learning that coexists, or may, with one that differs only in case and punctuation. */
function coexists(learning: LockedLearning): boolean {
  return Buffer.from(exactFingerprint(learning)).equals(learning.fingerprint);
}

/**
 * Writes the next version of a closed, locked learning, with its evidence and use, current from now on. Other words of a user are certain: confidence 1. The
 * owner is unchanged.
 */
async function writeNext(
  transaction: TenantTransaction,
  editor: LearningEditor,
  old: LockedLearning,
  next: {
    readonly id: string;
    readonly words: LearningWords;
    readonly sameness: Sameness;
    readonly reopenReason: string | null;
  },
): Promise<Written> {
  const { id, words } = next;
  const fingerprint = await freePrint(transaction, editor.tenantId, { ...old, ...words }, next.sameness);
  if ('knownId' in fingerprint) return fingerprint;
  const written = await transaction.$executeRaw`
    INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, namespace, fingerprint, category, title, description, context, examples, tags, confidence, use_count,
                           use_weight, decayed_on, last_used_at, occurred_at, last_shown_at, valid_from, version, previous_id, origin, visibility, reopen_reason)
    SELECT ${id}::uuid, l.tenant_id, l.project_id, l.user_id, l.session_id, l.namespace, ${fingerprint}, ${words.category}, ${words.title}, ${words.description},
           ${words.context}, ${JSON.stringify(words.examples)}::jsonb, ${[...words.tags]}::text[],
           CASE WHEN (l.title, l.description, l.context, l.examples) = (${words.title}, ${words.description}, ${words.context}, ${JSON.stringify(words.examples)}::jsonb)
                THEN l.confidence ELSE 1 END, l.use_count, l.use_weight, l.decayed_on, l.last_used_at, l.occurred_at, l.last_shown_at,
           greatest(date_trunc('milliseconds', now()), l.valid_to), l.version + 1, l.id, 'user', l.visibility, ${next.reopenReason}
      FROM learnings l WHERE l.id = ${old.id}::uuid
    ON CONFLICT (tenant_id, fingerprint) WHERE (valid_to IS NULL) DO NOTHING`;
  if (written === 0) return openTwin(transaction, editor.tenantId, fingerprint);
  await transaction.$executeRaw`
    INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote, weight, created_at)
    SELECT ${id}::uuid, row_id, quote_sha256, tenant_id, session_id, quote, weight, created_at FROM learning_evidence WHERE learning_id = ${old.id}::uuid`;
  await embed(transaction, editor, id, words);
  return { id };
}

/**
 * Replaces the text of a current, locked learning by a new version and closes the old one. A learning that coexists with one that differs only in case and
 * punctuation continues to, and so does one with unchanged text. @throws LegalHoldError
 */
export async function correctLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  old: LockedLearning,
  words: LearningWords,
  sameness: Sameness,
): Promise<Written> {
  const id = newId();
  await closeLearning(transaction, editor, old.id, { reason: CORRECTED, by: id });
  const isExact = old.description === words.description || coexists(old);
  return writeNext(transaction, editor, old, {
    id,
    words,
    sameness: isExact ? 'letters' : sameness,
    reopenReason: null,
  });
}

/**
 * Writes a new, current version with the words of a closed, locked learning and the reason. The closed one remains readable as of its time; the new version
 * replaces it for all who name it. @throws LegalHoldError
 */
export async function reopenLearning(
  transaction: TenantTransaction,
  editor: LearningEditor,
  old: LockedLearning,
  reason: string,
): Promise<Written> {
  await assertNoLearningUnderLegalHold(transaction, [old.id]);
  const sameness = coexists(old) ? 'letters' : 'words';
  const next = { id: newId(), words: old, sameness, reopenReason: reason } as const;
  const written = await writeNext(transaction, editor, old, next);
  if ('knownId' in written) return written;
  await transaction.$executeRaw`
    UPDATE learnings SET superseded_by = ${written.id}::uuid, updated_at = now() WHERE id = ${old.id}::uuid`;
  return written;
}
