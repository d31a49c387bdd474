import { createHash } from 'node:crypto';
import { newId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { LearningDraft } from '../../domain/ports/model.ts';
import type { TenantTransaction } from './database.ts';

export interface LearningContext {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly projectId: string | null;
  readonly userId: string;
  readonly namespace: string;
  readonly validFrom: Date;
}

export interface WrittenLearning {
  readonly id: string;
  readonly title: string;
  /** What search indexes: description, context and examples. */
  readonly content: string;
}

/** Every further session that shows the same knowledge closes this part of the distance to certainty. */
const CONFIDENCE_STEP = 0.25;

/** SHA-256 of what makes two learnings the same: project, namespace, category, and the description without case and punctuation. */
export function learningFingerprint(learning: {
  readonly projectId: string | null;
  readonly namespace: string;
  readonly category: string;
  readonly description: string;
}): Uint8Array<ArrayBuffer> {
  const said = learning.description
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return new Uint8Array(
    createHash('sha256')
      .update([learning.projectId ?? '', learning.namespace, learning.category, said].join('\u0000'), 'utf8')
      .digest(),
  );
}

/** Text of a learning as it is embedded. */
export function learningText(learning: {
  readonly description: string;
  readonly context: string;
  readonly examples: readonly string[];
}): string {
  return [learning.description, learning.context, ...learning.examples].filter((text) => text !== '').join('\n');
}

/**
 * Writes learnings with their evidence. Knowledge that the project already has gains evidence and, when another session shows it,
 * confidence, and is not doubled; writing the same session's learnings again changes nothing. Answers those that are new.
 */
export async function writeLearnings(
  transaction: TenantTransaction,
  context: LearningContext,
  drafts: readonly LearningDraft[],
): Promise<WrittenLearning[]> {
  const written: WrittenLearning[] = [];
  for (const draft of drafts) {
    const print = learningFingerprint({ ...context, ...draft });
    const { evidence, ...fields } = draft;
    const known = await transaction.learning.findUnique({
      where: { tenantId_fingerprint: { tenantId: context.tenantId, fingerprint: print } },
      select: { id: true, confidence: true },
    });
    const id = known?.id ?? newId();
    if (known === null) {
      await transaction.learning.create({
        data: { id, ...context, ...fields, examples: [...draft.examples], tags: [...draft.tags], fingerprint: print },
      });
      written.push({ id, title: draft.title, content: learningText(draft) });
    } else {
      const shownBefore = await transaction.learningEvidence.count({
        where: { learningId: id, sessionId: context.sessionId },
      });
      if (shownBefore === 0) {
        const confidence = known.confidence + (1 - known.confidence) * CONFIDENCE_STEP;
        await transaction.learning.update({ where: { id }, data: { confidence, updatedAt: new Date() } });
      }
    }
    await transaction.learningEvidence.createMany({
      skipDuplicates: true,
      data: evidence.map((piece) => ({
        learningId: id,
        tenantId: context.tenantId,
        sessionId: context.sessionId,
        rowId: piece.rowId,
        quote: piece.quote,
        quoteSha256: new Uint8Array(createHash('sha256').update(piece.quote, 'utf8').digest()),
      })),
    });
  }
  return written;
}
