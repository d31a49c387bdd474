import { createHash } from 'node:crypto';
import { newId } from '../../../domain/ids.ts';
import { disputedConfidence, draftPlace, grownConfidence } from '../../../domain/learning/merge.ts';
import type { Placing } from '../../../domain/learning/merge.ts';
import { visibilityOf } from '../../../domain/learning/visibility.ts';
import type { LearningDraft } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { lockKnown, settled } from './learning-settling.ts';
import { inScope, newestLearning } from './learning-neighbours.ts';
import { CONTRADICTED, DISPUTES, learningFingerprint, learningText, REFINED } from './learnings.ts';
import type { LearningContext } from './learnings.ts';

/** The compared learnings have changed: the comparison must be repeated. Its code marks a conflict. */
export class LearningsChanged extends Error {
  override readonly name = 'LearningsChanged';
  readonly code = '40001';
}

/** Scope of the written learnings. Without a session they are user memories: without evidence, and a user may store again what a user closed. */
export type WritingContext = Omit<LearningContext, 'sessionId'> &
  ({ readonly sessionId: string; readonly origin?: never } | { readonly sessionId: null; readonly origin: 'user' });

/** No session's id: no evidence bears it. */
const NO_SESSION = '00000000-0000-0000-0000-000000000000';

/** A draft with what a comparison made of it. */
export interface PlacedDraft {
  readonly draft: LearningDraft;
  readonly placing: Placing;
  /** When the newest row that it cites happened. */
  readonly occurredAt: Date;
}

export interface WrittenLearning {
  readonly id: string;
  readonly title: string;
  /** Text that search indexes: description, context and examples. */
  readonly content: string;
}

export interface LearningsWritten {
  /** New rows that stand: they want vectors. */
  readonly written: readonly WrittenLearning[];
  /** For each draft the learning that it became or supports; null if it was omitted. */
  readonly ids: readonly (string | null)[];
  /** Learnings that stand no longer. */
  readonly closed: readonly string[];
}

/**
 * Locks out other writers of the scope's learnings until this transaction ends. @throws LearningsChanged if one was written since
 * `newest` was read (by `newestLearning`)
 */
export async function lockLearnings(
  transaction: TenantTransaction,
  context: WritingContext,
  newest: string | null,
): Promise<void> {
  const name = `learn ${context.tenantId} ${context.projectId ?? ''} ${context.namespace} ${context.ownerId ?? ''}`;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
  if ((await newestLearning(transaction, context)) !== newest)
    throw new LearningsChanged('learnings were written while they were compared');
}

/**
 * Writes a session's learnings according to their placings: as evidence of a known one, as its next version, as its replacement, beside it, or as a
 * new one. A replaced learning is closed with a reason, never deleted. Idempotent per session; a text that a user closed is not learned again. The
 * caller must have called {@link lockLearnings}. @throws LearningsChanged
 */
export async function writeLearnings(
  transaction: TenantTransaction,
  context: WritingContext,
  drafts: readonly PlacedDraft[],
): Promise<LearningsWritten> {
  const written: WrittenLearning[] = [];
  const closed: string[] = [];
  const ids: (string | null)[] = [];
  const prints = drafts.map(({ draft }) => learningFingerprint({ ...context, ...draft }));
  const known = drafts.flatMap(({ placing }) =>
    placing.kind === 'new' || draftPlace(placing.knownId) !== null ? [] : [placing.knownId],
  );
  await lockKnown(transaction, context.tenantId, known, prints);
  await assertInScope(transaction, context, known);
  for (const [index, placed] of drafts.entries()) {
    const print = prints[index] ?? learningFingerprint({ ...context, ...placed.draft });
    const placing = await settled(transaction, context, placed.draft, placed.placing, ids);
    if (placing === null) {
      ids.push(null);
    } else if (placing.kind === 'same') {
      await showAgain(transaction, context, placing.knownId, placed);
      ids.push(placing.knownId);
    } else {
      const row = await replaced(transaction, context, print, placing, placed);
      await transaction.learning.create({ data: row });
      await addEvidence(transaction, context, row.id, placed.draft);
      ids.push(row.id);
      if (row.validTo === null)
        written.push({ id: row.id, title: placed.draft.title, content: learningText(placed.draft) });
      if (placing.kind === 'refines' || placing.kind === 'contradicts') closed.push(placing.knownId);
    }
  }
  await requestRemoval(transaction, closed);
  return { written, ids, closed };
}

/** @throws LearningsChanged if one of the learnings was shared, or made private, while it was compared */
async function assertInScope(
  transaction: TenantTransaction,
  context: WritingContext,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const strays = await transaction.$queryRaw<unknown[]>`
    SELECT 1 FROM learnings WHERE id = ANY (${ids}::uuid[]) AND NOT (${inScope(context)}) LIMIT 1`;
  if (strays.length > 0) throw new LearningsChanged('a learning was shared or made private while it was compared');
}

/** Adds evidence; the first of a session and that of a user raise the confidence. */
async function showAgain(
  transaction: TenantTransaction,
  context: WritingContext,
  id: string,
  { draft, occurredAt }: PlacedDraft,
): Promise<void> {
  const known = await transaction.learning.findUniqueOrThrow({
    where: { id },
    select: {
      confidence: true,
      occurredAt: true,
      validFrom: true,
      lastShownAt: true,
      evidence: { where: { sessionId: context.sessionId ?? NO_SESSION }, select: { rowId: true }, take: 1 },
    },
  });
  const added = await addEvidence(transaction, context, id, draft);
  if (added === 0 && context.sessionId !== null) return;
  await transaction.learning.update({
    where: { id },
    data: {
      confidence: known.evidence.length === 0 ? grownConfidence(known.confidence) : known.confidence,
      occurredAt: later(known.occurredAt ?? known.validFrom, occurredAt),
      lastShownAt: later(known.lastShownAt ?? known.occurredAt ?? known.validFrom, occurredAt),
      updatedAt: new Date(),
    },
  });
}

function later(left: Date, right: Date): Date {
  return left > right ? left : right;
}

/** The new row; closes what it takes the place of. */
async function replaced(
  transaction: TenantTransaction,
  context: WritingContext,
  fingerprint: Uint8Array<ArrayBuffer>,
  placing: Exclude<Placing, { kind: 'same' }>,
  { draft, occurredAt }: PlacedDraft,
) {
  const { evidence: _evidence, relation: _relation, ...fields } = draft;
  const { ownerId, ...columns } = context;
  const id: string = newId();
  const row = {
    id,
    ...columns,
    ...fields,
    visibility: visibilityOf(ownerId),
    examples: [...draft.examples],
    tags: [...draft.tags],
    fingerprint,
    occurredAt,
    lastShownAt: occurredAt,
  };
  switch (placing.kind) {
    case 'new':
      return { ...row, validTo: null };
    case 'disputes':
      return {
        ...row,
        validTo: null,
        disputes: placing.knownId,
        reason: DISPUTES,
        confidence: disputedConfidence(draft.confidence),
      };
    case 'outdated':
      return { ...row, validTo: context.validFrom, supersededBy: placing.knownId, reason: CONTRADICTED };
    case 'contradicts':
      await close(transaction, context, placing.knownId, id, CONTRADICTED);
      return { ...row, validTo: null };
    case 'refines': {
      const known = await close(transaction, context, placing.knownId, id, REFINED);
      const bySame = known.evidence.length > 0;
      const sure = Math.max(known.confidence, draft.confidence);
      return {
        ...row,
        validTo: null,
        version: known.version + 1,
        previousId: placing.knownId,
        confidence: bySame ? sure : grownConfidence(sure),
        useCount: known.useCount,
        useWeight: known.useWeight,
        lastUsedAt: known.lastUsedAt,
        disputes: known.disputes,
        reason: known.disputes === null ? null : DISPUTES,
      };
    }
  }
}

/** Closes a learning in favour of another. @throws LearningsChanged if it was closed or verified meanwhile */
async function close(
  transaction: TenantTransaction,
  context: WritingContext,
  id: string,
  successor: string,
  reason: string,
) {
  const closed = await transaction.$executeRaw`
    UPDATE learnings SET valid_to = greatest(${context.validFrom}::timestamptz, valid_from), superseded_by = ${successor}::uuid, reason = ${reason}, updated_at = now()
     WHERE id = ${id}::uuid AND valid_to IS NULL AND verified_at IS NULL`;
  if (closed === 0) throw new LearningsChanged('a learning was closed or verified while it was compared');
  return transaction.learning.findUniqueOrThrow({
    where: { id },
    select: {
      version: true,
      confidence: true,
      useCount: true,
      useWeight: true,
      lastUsedAt: true,
      disputes: true,
      evidence: { where: { sessionId: context.sessionId ?? NO_SESSION }, select: { rowId: true }, take: 1 },
    },
  });
}

/** Returns the number of new pieces. */
async function addEvidence(
  transaction: TenantTransaction,
  context: WritingContext,
  learningId: string,
  draft: LearningDraft,
): Promise<number> {
  const { sessionId } = context;
  if (sessionId === null) return 0;
  const added = await transaction.learningEvidence.createMany({
    skipDuplicates: true,
    data: draft.evidence.map((piece) => ({
      learningId,
      tenantId: context.tenantId,
      sessionId,
      rowId: piece.rowId,
      quote: piece.quote,
      quoteSha256: new Uint8Array(createHash('sha256').update(piece.quote, 'utf8').digest()),
    })),
  });
  return added.count;
}
