import { chunkText } from '../../domain/chunking.ts';
import { groundLearnings, quotableRows } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ModelPort } from '../../domain/ports/model.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/database.ts';
import { countPending, wantEmbeddings } from '../../stores/postgres/embedding-ledger.ts';
import type { EmbeddingModel } from '../../stores/postgres/embedding-ledger.ts';
import { refuseForgotten } from '../../stores/postgres/forgotten.ts';
import { writeLearnings } from '../../stores/postgres/learnings.ts';
import { readPrompts, readRowsAround } from '../../stores/postgres/session-rows.ts';
import { readSessionFacts, writeLearnedSeq } from '../../stores/postgres/session-state.ts';
import { readTopicsAndItems } from '../../stores/postgres/summaries.ts';
import { bookUsage } from '../../stores/postgres/usage-ledger.ts';
import type { LearningActivities, LearningInput } from '../../workflows/learning/types.ts';
import { beating } from '../heartbeat.ts';
import { hintedIndex } from '../hinted-index.ts';
import { bookingFailures, costOf } from '../model-call.ts';

export interface LearningDependencies {
  readonly database: Database;
  readonly model: ModelPort;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
}

/** Prompts that learnings may be drawn from. */
const HEAD_PROMPTS = 50;
const TAIL_PROMPTS = 150;
/** How far a fix may follow its failure, in rows. */
const ROWS_AFTER = 6;

/** Extraction of what outlives a session. */
export function createLearningActivities({
  database,
  model,
  embeddingModel,
  hints,
}: LearningDependencies): LearningActivities {
  const pendingOf = (ref: LearningInput) =>
    database.asTenant(asId(ref.tenantId), (transaction) => countPending(transaction, ref.sessionId));

  return {
    extractLearnings: (ref) =>
      beating(async (signal) => {
        const tenantId = asId<TenantId>(ref.tenantId);
        const known = await database.asTenant(tenantId, async (transaction) => {
          const facts = await readSessionFacts(transaction, ref.sessionId);
          // Asked again (a lost answer, a session that went on being closed): what was extracted and paid for is there.
          if (facts.learnedSeq === facts.consumedSeq || !facts.infer) return null;
          const derived = await readTopicsAndItems(transaction, ref.sessionId);
          const cited = [...new Set(derived.items.flatMap((item) => item.evidence.map((piece) => piece.rowId)))];
          return {
            facts,
            input: {
              projectName: facts.projectName,
              ...derived,
              prompts: await readPrompts(transaction, ref.sessionId, HEAD_PROMPTS, TAIL_PROMPTS),
              rows: await readRowsAround(transaction, ref.sessionId, cited, ROWS_AFTER),
            },
          };
        });
        if (known === null || (known.input.prompts.length === 0 && known.input.rows.length === 0))
          return { written: 0, calls: 0, tokens: 0, usd: 0, pending: await pendingOf(ref) };
        const { facts, input } = known;
        const owner = {
          tenantId,
          userId: facts.userId,
          sessionId: ref.sessionId,
          operation: 'extract_learnings',
        } as const;
        const { output, usage } = await bookingFailures(database, owner, () => model.extractLearnings(input, signal));
        const drafts = groundLearnings(output, [...quotableRows(input), ...input.rows]).kept;
        const written = await database.asTenant(tenantId, async (transaction) => {
          const context = {
            tenantId,
            sessionId: ref.sessionId,
            projectId: facts.projectId,
            userId: facts.userId,
            namespace: facts.namespace,
            validFrom: new Date(),
          };
          await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
          const learnings = await writeLearnings(transaction, context, drafts);
          await wantEmbeddings(
            transaction,
            tenantId,
            embeddingModel,
            learnings.map((learning) => ({
              type: 'learning',
              id: learning.id,
              sessionId: ref.sessionId,
              chunks: chunkText(learning.title, learning.content),
            })),
          );
          await bookUsage(transaction, owner, usage);
          await writeLearnedSeq(transaction, ref.sessionId, facts.consumedSeq);
          return learnings.length;
        });
        const pending = await pendingOf(ref);
        if (pending > 0) await hintedIndex(hints, tenantId);
        return { written, ...costOf(usage), pending };
      }),
  };
}
