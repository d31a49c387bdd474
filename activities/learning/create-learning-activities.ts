import { chunkText } from '../../domain/chunking.ts';
import { CLASS_RULES } from '../../domain/data-classes.ts';
import { groundLearnings, quotableRows } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { ownerIdFor } from '../../domain/learning/visibility.ts';
import type { Visibility } from '../../domain/learning/visibility.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type {
  LearningDraft,
  LearningInput as ModelInput,
  Models,
  SourceRow,
  SessionInput,
} from '../../domain/ports/model.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { refuseForgotten } from '../../stores/postgres/erasure/forgotten.ts';
import { projectGlossary } from '../../stores/postgres/graph/glossary.ts';
import { LearningsChanged, lockLearnings, writeLearnings } from '../../stores/postgres/learnings/learning-writes.ts';
import type { WrittenLearning } from '../../stores/postgres/learnings/learning-writes.ts';
import { readSharing } from '../../stores/postgres/learnings/sharing.ts';
import { readPrompts, readRowsAround, readRowsById } from '../../stores/postgres/sessions/session-rows.ts';
import { readSessionFacts, writeLearnedSeq } from '../../stores/postgres/sessions/session-state.ts';
import type { SessionFacts } from '../../stores/postgres/sessions/session-state.ts';
import { readTopicsAndItems } from '../../stores/postgres/summaries/summaries.ts';
import { marksOfSession } from '../../stores/postgres/traces/trace-marks.ts';
import type { LearningActivities, LearningResult, SessionRef } from '../../workflows/session/types.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import { callModel } from '../model-call.ts';
import type { ModelCallDependencies, ModelTask } from '../model-call.ts';
import { compareInScopes } from './compare-in-scopes.ts';
import { createEmbedOnce, readKnown } from './compare-drafts.ts';
import type { Comparison, NeighbourDependencies, ScopeOfTenant } from './compare-drafts.ts';
import { extractGraph } from '../../domain/graph/extract.ts';
import type { GraphNote } from '../../domain/graph/extract.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { readGraphRows } from '../../stores/postgres/graph/graph-rows.ts';
import { writeGraph } from '../../stores/postgres/graph/graph-writes.ts';
import type { LearningContext } from '../../stores/postgres/learnings/learnings.ts';

/** Writes a session's part of the graph from its tool calls, items and learnings. */
export async function linkSession(
  transaction: TenantTransaction,
  context: Omit<LearningContext, 'ownerId'> & { readonly projectName: string | null },
  input: SessionInput & { readonly rows: readonly SourceRow[] },
  learnings: readonly { readonly id: string; readonly draft: LearningDraft }[],
): Promise<void> {
  const { calls, failures, roots } = await readGraphRows(transaction, context.sessionId, context.projectId);
  const times = new Map<string, number>(
    [...input.prompts, ...input.rows].map((row) => [row.id, Date.parse(row.occurredAt)]),
  );
  for (const call of calls) times.set(call.id, call.occurredAtMs);
  const last = Math.max(0, ...times.values());
  const timeOf = (evidence: readonly { readonly rowId: string }[]) => {
    const cited = evidence.flatMap((piece) => times.get(piece.rowId) ?? []);
    return cited.length === 0 ? last : Math.max(...cited);
  };
  const notes = [
    ...input.items.map((item): GraphNote => ({
      id: item.id,
      source: 'summary',
      kind: item.kind,
      title: item.title,
      text: item.content,
      tags: item.tags,
      evidence: item.evidence,
      occurredAtMs: timeOf(item.evidence),
    })),
    ...learnings.map(({ id, draft }): GraphNote => ({
      id,
      source: 'learning',
      kind: draft.category,
      title: draft.title,
      text: [draft.description, ...draft.examples].join('\n'),
      tags: draft.tags,
      evidence: draft.evidence,
      occurredAtMs: timeOf(draft.evidence),
    })),
  ];
  const prompts = input.prompts
    .filter(({ type, dataClass }) => (type === 'user' || type === 'assistant') && CLASS_RULES[dataClass].isSummarised)
    .map(({ id, content, occurredAt }) => ({ id, content, occurredAtMs: Date.parse(occurredAt) }));
  const { projectName } = context;
  await writeGraph(transaction, context, extractGraph({ projectName, roots, calls, failures, prompts, notes }));
}

export interface LearningDependencies extends NeighbourDependencies {
  readonly models: Models;
  readonly modelCalls: ModelCallDependencies;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
  readonly tracer?: Tracer;
}

/** Prompts in the model request. */
const HEAD_PROMPTS = 50;
const TAIL_PROMPTS = 150;
/** Distance between a failure and its fix, in rows. */
const ROWS_AFTER = 6;
/** Topics used to find known learnings. */
const MAX_TOPICS = 6;
/** Attempts: other sessions of the project may write between comparison and write. */
const COMPARISONS = 8;

interface Session {
  readonly facts: SessionFacts;
  readonly input: Omit<ModelInput, 'known'>;
  /** Rows that only topics quote: learnings may quote them and are dated by them. The model reads them in the topics. */
  readonly quoted: readonly SourceRow[];
  /** Of its new learnings. */
  readonly visibility: Visibility;
}

/** Extracts a session's learnings, compares them with the project's, and writes the graph. */
export function createLearningActivities(dependencies: LearningDependencies): LearningActivities {
  const { database, models, modelCalls, embeddingModel, hints, clock, tracer = NO_TRACER } = dependencies;
  /** Reads the model request; null if it was answered before or is disabled. */
  const read = (tenantId: TenantId, sessionId: string) =>
    database.asTenant(tenantId, async (transaction): Promise<Session | null> => {
      const facts = await readSessionFacts(transaction, sessionId);
      // A repeated call (lost result, reopened session): the paid result is stored.
      if (facts.learnedSeq === facts.consumedSeq || !facts.infer) return null;
      const derived = await readTopicsAndItems(transaction, sessionId);
      const cited = [...new Set(derived.items.flatMap((item) => item.evidence.map((piece) => piece.rowId)))];
      const input = {
        projectName: facts.projectName,
        glossary: await projectGlossary(transaction, tenantId, facts, clock.now()),
        ...derived,
        prompts: await readPrompts(transaction, sessionId, HEAD_PROMPTS, TAIL_PROMPTS),
        rows: await readRowsAround(transaction, sessionId, cited, ROWS_AFTER),
      };
      if (input.prompts.length === 0 && input.rows.length === 0) return null;
      const there = new Set([...input.prompts, ...input.rows].map((row) => row.id));
      const claims = derived.topics.flatMap((topic) => [...topic.keyPoints, ...topic.actionItems]);
      const ids = new Set(claims.flatMap((claim) => claim.evidence.map((piece) => piece.rowId)));
      const unread = [...ids].filter((id) => !there.has(id));
      const { visibility } = await readSharing(transaction, tenantId);
      return { facts, input, quoted: await readRowsById(transaction, sessionId, unread), visibility };
    });

  /** One transaction: a kill leaves all or nothing. */
  const write = (
    tenantId: TenantId,
    sessionId: string,
    { facts, input, quoted }: Session,
    comparisons: readonly Comparison[],
  ) =>
    // In the view of the session's user: what others keep private is out of reach.
    database.asTenant(viewOfUser(tenantId, facts.userId), async (transaction) => {
      const { projectId, userId, namespace, projectName } = facts;
      const base = { tenantId, sessionId, projectId, userId, namespace, validFrom: new Date(clock.now()) };
      await refuseForgotten(transaction, sessionId, facts.forgotten);
      const written: WrittenLearning[] = [];
      const shared: { readonly id: string; readonly draft: LearningDraft }[] = [];
      for (const { ownerId, placed, newest } of comparisons) {
        const context = { ...base, ownerId };
        await lockLearnings(transaction, context, newest);
        const result = await writeLearnings(transaction, context, placed);
        written.push(...result.written);
        // The graph belongs to the project: private learnings add nothing to it.
        if (ownerId !== null) continue;
        for (const [index, { draft }] of placed.entries()) {
          const id = result.ids[index] ?? null;
          if (id !== null) shared.push({ id, draft });
        }
      }
      await requestEmbeddings(
        transaction,
        tenantId,
        embeddingModel,
        written.map((learning) => ({
          type: 'learning',
          id: learning.id,
          sessionId,
          chunks: chunkText(learning.title, learning.content),
        })),
      );
      const linked = { ...input, rows: [...input.rows, ...quoted] };
      await linkSession(transaction, { ...base, projectName }, linked, shared);
      await writeLearnedSeq(transaction, sessionId, facts.consumedSeq);
      return written.length;
    });

  const learn = async (
    tenantId: TenantId,
    sessionId: string,
    session: Session,
    scope: ScopeOfTenant,
    drafts: readonly LearningDraft[],
    signal: AbortSignal,
  ): Promise<number> => {
    const { facts, input, quoted } = session;
    const embed = createEmbedOnce(dependencies.embedder);
    const rows = [...input.prompts, ...input.rows, ...quoted];
    for (let attempt = 1; ; attempt += 1) {
      const comparisons = await compareInScopes(dependencies, scope, facts.userId, drafts, rows, embed, signal);
      try {
        return await write(tenantId, sessionId, session, comparisons);
      } catch (error) {
        if (!(error instanceof LearningsChanged) || attempt === COMPARISONS) throw error;
      }
    }
  };

  const extract = async (ref: SessionRef, signal: AbortSignal): Promise<LearningResult> => {
    const tenantId = asId<TenantId>(ref.tenantId);
    const session = await read(tenantId, ref.sessionId);
    if (session === null) return { written: 0, calls: 0, tokens: 0, usd: 0 };
    const { facts, input, visibility } = session;
    const ownerId = ownerIdFor(visibility, facts.userId);
    const scope = { tenantId, projectId: facts.projectId, namespace: facts.namespace, ownerId };
    const about = input.topics
      .slice(-MAX_TOPICS)
      .map(({ title, content }) => ({ text: `${title}\n${content}`, stored: null }));
    const known = await readKnown(dependencies, scope, about, signal);
    const owner = {
      tenantId,
      userId: facts.userId,
      sessionId: ref.sessionId,
      operation: 'extract_learnings',
    } as const;
    const task: ModelTask<readonly LearningDraft[]> = {
      prepare: (model) => model.prepareLearnings({ ...input, known }, signal),
      request: (model) => model.learningsRequest({ ...input, known }),
      forgotten: facts.forgotten,
    };
    const { output, cost } = await callModel(modelCalls, owner, models.large, task, signal);
    const drafts = groundLearnings(output, [...quotableRows(input), ...input.rows]).supported;
    const written = await learn(tenantId, ref.sessionId, session, scope, drafts, signal);
    if (written > 0) await tryHintIndex(hints, tenantId);
    return { written, ...cost };
  };

  return {
    extractLearnings: (ref) =>
      withHeartbeat((signal) =>
        tracer.unit(
          'learn',
          () => marksOfSession(database, asId(ref.tenantId), ref.sessionId),
          async (span) => {
            const result = await extract(ref, signal);
            span.note({ 'recollect.learnings': result.written });
            return result;
          },
          { 'recollect.session_id': ref.sessionId },
        ),
      ),
  };
}
