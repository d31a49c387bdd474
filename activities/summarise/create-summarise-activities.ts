import { chunkText } from '../../domain/chunking.ts';
import { groundSession, groundTopic, quotableRows } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelPort, ModelUsage, SourceRow } from '../../domain/ports/model.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/database.ts';
import { wantEmbeddings } from '../../stores/postgres/embedding-ledger.ts';
import type { EmbeddingModel } from '../../stores/postgres/embedding-ledger.ts';
import { refuseForgotten } from '../../stores/postgres/forgotten.ts';
import { precedingRequest, readPrompts, readRows, readTrace } from '../../stores/postgres/session-rows.ts';
import { enterPhase, readSessionFacts, writeTitle } from '../../stores/postgres/session-state.ts';
import type { SessionFacts, SessionPhase } from '../../stores/postgres/session-state.ts';
import {
  findSessionSummary,
  readTopicsAndItems,
  writeSessionSummary,
  writeTopic,
} from '../../stores/postgres/summaries.ts';
import type { SummaryContext, WrittenSummary } from '../../stores/postgres/summaries.ts';
import { bookUsage, sumUsage } from '../../stores/postgres/usage-ledger.ts';
import { countWindows, markParked, claimSummarised, nextCutWindow } from '../../stores/postgres/windows.ts';
import type { SessionTrace } from '../../stores/postgres/session-rows.ts';
import type { StoredWindow } from '../../stores/postgres/windows.ts';
import { PERMANENT_FAILURES } from '../../workflows/failure-types.ts';
import { sessionWorkflowId } from '../../workflows/ids.ts';
import type { CloseResult, SessionRef, SummariseActivities } from '../../workflows/session/types.ts';
import { modelFailureType } from '../failures.ts';
import { beating } from '../heartbeat.ts';
import { hintedIndex } from '../hinted-index.ts';
import { bookingFailures, costOf } from '../model-call.ts';

export interface SummariseDependencies {
  readonly database: Database;
  readonly model: ModelPort;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
  /** Whether captures come in a flood, which goes first. */
  readonly isFlooding: () => Promise<boolean>;
}

/** Prompts that a session summary is given: the first and the last of a long session. */
const HEAD_PROMPTS = 20;
const TAIL_PROMPTS = 40;
/** No further window is begun after this: with the bound of one model call well under the bound of an attempt. */
const WINDOWS_BUDGET_MS = 20_000;
const NO_COST = { calls: 0, tokens: 0, usd: 0 };

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Files and time of one window's rows. */
function traceOf(rows: readonly SourceRow[]): SessionTrace {
  return {
    filesRead: unique(rows.flatMap((row) => row.filesRead)),
    filesModified: unique(rows.flatMap((row) => row.filesModified)),
    lastOccurredAt: new Date(rows.at(-1)?.occurredAt ?? Date.now()),
  };
}

/** Whose a summary is, what it covers and what it cost. Files come from what tools touched, never from the model. */
function contextOf(
  ref: SessionRef,
  facts: SessionFacts,
  trace: SessionTrace,
  usage: readonly ModelUsage[],
  range: { fromSeq: number; toSeq: number },
): SummaryContext {
  return {
    tenantId: asId(ref.tenantId),
    sessionId: ref.sessionId,
    projectId: facts.projectId,
    userId: facts.userId,
    model: usage.at(-1)?.model ?? '',
    ...sumUsage(usage),
    fromSeq: range.fromSeq,
    toSeq: range.toSeq,
    occurredAt: trace.lastOccurredAt,
    filesRead: trace.filesRead,
    filesModified: trace.filesModified,
  };
}

/** Model calls of a session: one window, or the whole session. Each writes its result in one transaction under a slot, so that a retry changes nothing. */
export function createSummariseActivities({
  database,
  model,
  embeddingModel,
  hints,
  clock,
  isFlooding,
}: SummariseDependencies): SummariseActivities {
  const wantVectors = (transaction: TenantTransaction, ref: SessionRef, written: readonly WrittenSummary[]) =>
    wantEmbeddings(
      transaction,
      asId(ref.tenantId),
      embeddingModel,
      written.map((summary) => ({
        type: 'summary',
        id: summary.id,
        sessionId: ref.sessionId,
        chunks: chunkText(summary.title, summary.content),
      })),
    );

  /** Sets a window aside that no further attempt can mend, instead of failing the session for it. */
  const park = (ref: SessionRef, window: StoredWindow, error: ModelError) =>
    database.asTenant(asId(ref.tenantId), (transaction) =>
      markParked(transaction, ref.sessionId, window.n, `${modelFailureType(error)}: ${error.message}`),
    );

  const summarise = async (
    ref: SessionRef,
    window: StoredWindow,
    signal: AbortSignal,
  ): Promise<readonly ModelUsage[]> => {
    const tenantId = asId<TenantId>(ref.tenantId);
    const { facts, rows, preceding } = await database.asTenant(tenantId, async (transaction) => ({
      facts: await readSessionFacts(transaction, ref.sessionId),
      rows: await readRows(transaction, { sessionId: ref.sessionId, fromSeq: window.fromSeq, toSeq: window.toSeq }),
      preceding: await precedingRequest(transaction, ref.sessionId, window.fromSeq),
    }));
    const owner = { tenantId, userId: facts.userId, sessionId: ref.sessionId, operation: 'summarise_window' } as const;
    const { output, usage } = await bookingFailures(database, owner, () =>
      model.summariseWindow({ projectName: facts.projectName, precedingRequest: preceding, rows }, signal),
    );
    const topic = groundTopic(output, rows).kept;
    await database.asTenant(tenantId, async (transaction) => {
      await bookUsage(transaction, owner, usage);
      await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
      if (!(await claimSummarised(transaction, ref.sessionId, window.n))) return;
      const written = await writeTopic(
        transaction,
        contextOf(ref, facts, traceOf(rows), usage, window),
        window.n,
        topic,
      );
      await wantVectors(transaction, ref, written);
    });
    return usage;
  };

  /** One window: summarised or parked. Null when none waits. */
  const summariseNext = async (ref: SessionRef, signal: AbortSignal): Promise<CloseResult | null> => {
    const window = await database.asTenant(asId(ref.tenantId), (transaction) =>
      nextCutWindow(transaction, ref.sessionId),
    );
    if (window === null) return null;
    try {
      return costOf(await summarise(ref, window, signal));
    } catch (error) {
      if (!(error instanceof ModelError) || !PERMANENT_FAILURES.includes(modelFailureType(error))) throw error;
      await park(ref, window, error);
      return costOf(error.usage);
    }
  };

  const enter = (ref: SessionRef, phase: SessionPhase) =>
    enterPhase(database.pool, asId(ref.tenantId), ref.sessionId, phase, sessionWorkflowId(ref.tenantId, ref.sessionId));

  return {
    summariseNextWindow: (ref) =>
      beating(async (signal) => {
        const cost = (await summariseNext(ref, signal)) ?? NO_COST;
        const counts = await database.asTenant(asId(ref.tenantId), (transaction) =>
          countWindows(transaction, ref.sessionId),
        );
        return { windowsCut: counts.cut, windowsParked: counts.parked, ...cost };
      }),

    summariseWindows: (ref) =>
      beating(async (signal) => {
        const tenantId = asId<TenantId>(ref.tenantId);
        await enter(ref, ref.phase);
        const deadline = clock.now() + WINDOWS_BUDGET_MS;
        const total = { summarised: 0, ...NO_COST };
        try {
          while (clock.now() < deadline) {
            // The next call stands back before it begins.
            if (total.summarised > 0 && (await isFlooding())) break;
            const cost = await summariseNext(ref, signal);
            if (cost === null) break;
            total.summarised += 1;
            total.calls += cost.calls;
            total.tokens += cost.tokens;
            total.usd += cost.usd;
          }
        } catch (error) {
          // What was summarised before is done and is to be counted; the next call meets the failure at its first window.
          if (total.summarised === 0 || signal.aborted) throw error;
        }
        const counts = await database.asTenant(tenantId, (transaction) => countWindows(transaction, ref.sessionId));
        if (counts.cut === 0 && ref.phase === 'summarising') await enter(ref, 'active');
        await hintedIndex(hints, tenantId);
        return { windowsCut: counts.cut, windowsParked: counts.parked, ...total };
      }),

    summariseSession: (ref) =>
      beating(async (signal) => {
        const tenantId = asId<TenantId>(ref.tenantId);
        const { phase } = ref;
        if (phase !== undefined) await enter(ref, phase);
        const { standing, known } = await database.asTenant(tenantId, async (transaction) => {
          const before = await findSessionSummary(transaction, ref.sessionId);
          const facts = await readSessionFacts(transaction, ref.sessionId);
          if (!facts.infer || before?.toSeq === facts.consumedSeq) return { standing: before, known: null };
          const derived = await readTopicsAndItems(transaction, ref.sessionId);
          const prompts = await readPrompts(transaction, ref.sessionId, HEAD_PROMPTS, TAIL_PROMPTS);
          return { standing: before, known: { facts, derived, prompts } };
        });
        if (known === null || (known.derived.topics.length === 0 && known.prompts.length === 0))
          return { ...NO_COST, summaryId: standing?.id ?? null };
        const { facts, derived, prompts } = known;
        const owner = {
          tenantId,
          userId: facts.userId,
          sessionId: ref.sessionId,
          operation: 'summarise_session',
        } as const;
        const input = { projectName: facts.projectName, ...derived, prompts };
        const { output, usage } = await bookingFailures(database, owner, () => model.summariseSession(input, signal));
        const draft = groundSession(output, quotableRows(input)).kept;
        const summaryId = await database.asTenant(tenantId, async (transaction) => {
          await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
          const trace = await readTrace(transaction, ref.sessionId);
          const written = await writeSessionSummary(
            transaction,
            contextOf(ref, facts, trace, usage, { fromSeq: 1, toSeq: facts.consumedSeq }),
            draft,
          );
          await wantVectors(transaction, ref, written);
          await bookUsage(transaction, owner, usage);
          const summary = written[0] ?? (await findSessionSummary(transaction, ref.sessionId));
          // Last, because it locks the session, which captures wait for.
          await writeTitle(transaction, ref.sessionId, draft.title);
          return summary?.id ?? null;
        });
        if (phase !== undefined) await hintedIndex(hints, tenantId);
        return { ...costOf(usage), summaryId };
      }),
  };
}
