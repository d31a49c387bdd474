import { groundSession, quotableRows } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { KnownLearning, Models, SessionSummaryDraft, TopicSummaryDraft } from '../../domain/ports/model.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { refuseForgotten } from '../../stores/postgres/erasure/forgotten.ts';
import { projectGlossary } from '../../stores/postgres/graph/glossary.ts';
import { readPrompts, readTrace } from '../../stores/postgres/sessions/session-rows.ts';
import { enterPhase, readSessionFacts, writePhase, writeTitle } from '../../stores/postgres/sessions/session-state.ts';
import type { SessionFacts } from '../../stores/postgres/sessions/session-state.ts';
import type { SessionPhase } from '../../domain/jobs.ts';
import {
  findSessionSummary,
  hasTopicSince,
  readTopicsAndItems,
  writeSessionSummary,
} from '../../stores/postgres/summaries/summaries.ts';
import {
  claimSummarised,
  countWindows,
  markParked,
  nextPendingWindow,
} from '../../stores/postgres/sessions/windows.ts';
import type { StoredWindow } from '../../stores/postgres/sessions/windows.ts';
import { marksOfRange, marksOfSession } from '../../stores/postgres/traces/trace-marks.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { CloseResult, ModelStepInput, SessionRef, SummariseActivities } from '../../workflows/session/types.ts';
import { isPermanent, parkedReason } from '../failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import type { ClassedText } from '../learning/compare-drafts.ts';
import { callModel } from '../model-call.ts';
import type { ModelCallDependencies, ModelTask } from '../model-call.ts';
import { costOf, NO_COST } from '../model-calls/one-call.ts';
import type { CallCost } from '../model-calls/one-call.ts';
import { contextOf, requestSummaryVectors, nearWindow, readWindow, writeWindow } from './write-summary.ts';
import type { ReadWindow } from './write-summary.ts';

/** Reads the known learnings of a session's project that are nearest to texts. */
export type ReadKnown = (
  tenantId: TenantId,
  facts: SessionFacts,
  about: readonly ClassedText[],
  signal: AbortSignal,
) => Promise<readonly KnownLearning[]>;

export interface SummariseDependencies {
  readonly database: Database;
  readonly models: Models;
  readonly modelCalls: ModelCallDependencies;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
  /** Absent: windows are summarised without known learnings. */
  readonly readKnown?: ReadKnown;
  /** Whether a burst of captures is reported, which has priority. */
  readonly isBurst: () => Promise<boolean>;
  readonly tracer?: Tracer;
}

/** First and last prompts in the request of a session summary. */
const HEAD_PROMPTS = 20;
const TAIL_PROMPTS = 40;
/** User requests of a window used to find known learnings. */
const MAX_REQUESTS = 3;
const MAX_REQUEST_CHARACTERS = 500;
/** No window starts after this: with the time limit of one model call it stays well below that of an attempt. */
const WINDOWS_BUDGET_MS = 20_000;

/** Summarises windows and sessions. Each result is written in one transaction under a slot, so that retries change nothing. */
export function createSummariseActivities({
  database,
  models,
  modelCalls,
  embeddingModel,
  hints,
  clock,
  readKnown,
  isBurst,
  tracer = NO_TRACER,
}: SummariseDependencies): SummariseActivities {
  /** Parks a window that retries cannot summarise, instead of failing the session. */
  const park = (ref: SessionRef, window: StoredWindow, error: ModelError) =>
    database.asTenant(asId(ref.tenantId), (transaction) =>
      markParked(transaction, ref.sessionId, window.n, parkedReason(error)),
    );

  /** Adds the known learnings near to the user's requests. */
  const withKnown = async (tenantId: TenantId, read: ReadWindow, signal: AbortSignal): Promise<ReadWindow> => {
    const { facts, input } = read;
    if (readKnown === undefined) return read;
    const requests = input.rows.filter((row) => row.type === 'user');
    const about = (input.precedingRequest === null ? requests : [input.precedingRequest, ...requests])
      .map(({ content, dataClass }) => ({ text: content.slice(0, MAX_REQUEST_CHARACTERS), stored: dataClass }))
      .filter(({ text }) => text !== '')
      .slice(-MAX_REQUESTS);
    if (about.length === 0 || facts.projectId === null) return read;
    return { facts, input: { ...input, known: await readKnown(tenantId, facts, about, signal) } };
  };

  const summarise = async (ref: SessionRef, window: StoredWindow, signal: AbortSignal): Promise<CallCost> => {
    const tenantId = asId<TenantId>(ref.tenantId);
    const stored = await database.asTenant(tenantId, (transaction) =>
      readWindow(transaction, ref, window, clock.now()),
    );
    const { facts, input } = await withKnown(tenantId, stored, signal);
    const owner = { tenantId, userId: facts.userId, sessionId: ref.sessionId, operation: 'summarise_window' } as const;
    const task: ModelTask<TopicSummaryDraft> = {
      prepare: (model) => model.prepareWindow(input, signal),
      request: (model) => model.windowRequest(input),
      near: nearWindow(input),
      forgotten: facts.forgotten,
    };
    const { output, usage, cost } = await callModel(modelCalls, owner, models.ofWindow(input.rows), task, signal);
    await database.asTenant(tenantId, async (transaction) => {
      await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
      if (!(await claimSummarised(transaction, ref.sessionId, window.n))) return;
      await writeWindow(transaction, embeddingModel, ref, window, { facts, input }, { output, usage });
    });
    return cost;
  };

  /** Summarises or parks one window. Null if none is pending. */
  const summariseNext = async (ref: SessionRef, signal: AbortSignal): Promise<CloseResult | null> => {
    const window = await database.asTenant(asId(ref.tenantId), (transaction) =>
      nextPendingWindow(transaction, ref.sessionId),
    );
    if (window === null) return null;
    try {
      return await tracer.unit(
        'summarise',
        () => marksOfRange(database, asId(ref.tenantId), ref.sessionId, window),
        () => summarise(ref, window, signal),
        { 'recollect.session_id': ref.sessionId, 'recollect.window': window.n },
      );
    } catch (error) {
      if (!(error instanceof ModelError) || !isPermanent(error)) throw error;
      await park(ref, window, error);
      return costOf(error.usage);
    }
  };

  const workflowOf = (ref: SessionRef) => workflowIdOf('session', ref.tenantId, ref.sessionId);
  const enter = (ref: SessionRef, phase: SessionPhase) =>
    enterPhase(database.pool, asId(ref.tenantId), ref.sessionId, phase, workflowOf(ref));
  /** All windows are summarised or parked: what they waited for is over. */
  const windowsDone = (ref: SessionRef) =>
    writePhase(database.pool, asId(ref.tenantId), ref.sessionId, {
      phase: 'active',
      waitingReason: null,
      lastError: null,
      workflowId: workflowOf(ref),
    });

  const summariseComplete = async (ref: ModelStepInput, signal: AbortSignal): Promise<CloseResult> => {
    const tenantId = asId<TenantId>(ref.tenantId);
    const { phase } = ref;
    await enter(ref, phase);
    const { existing, known } = await database.asTenant(tenantId, async (transaction) => {
      const before = await findSessionSummary(transaction, ref.sessionId);
      const facts = await readSessionFacts(transaction, ref.sessionId);
      const isComplete =
        before?.toSeq === facts.consumedSeq && !(await hasTopicSince(transaction, ref.sessionId, before.createdAt));
      if (!facts.infer || isComplete) return { existing: before, known: null };
      const derived = await readTopicsAndItems(transaction, ref.sessionId);
      const prompts = await readPrompts(transaction, ref.sessionId, HEAD_PROMPTS, TAIL_PROMPTS);
      const glossary = await projectGlossary(transaction, tenantId, facts, clock.now());
      const input = { projectName: facts.projectName, glossary, ...derived, prompts };
      return { existing: before, known: { facts, input } };
    });
    if (known === null || (known.input.topics.length === 0 && known.input.prompts.length === 0))
      return { ...NO_COST, summaryId: existing?.id ?? null };
    const { facts, input } = known;
    const owner = {
      tenantId,
      userId: facts.userId,
      sessionId: ref.sessionId,
      operation: 'summarise_session',
    } as const;
    const task: ModelTask<SessionSummaryDraft> = {
      prepare: (model) => model.prepareSession(input, signal),
      request: (model) => model.sessionRequest(input),
      forgotten: facts.forgotten,
    };
    const { output, usage, cost } = await callModel(modelCalls, owner, models.large, task, signal);
    const { supported: draft, dropped: claimsDropped } = groundSession(output, quotableRows(input));
    const summaryId = await database.asTenant(tenantId, async (transaction) => {
      await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
      const trace = await readTrace(transaction, ref.sessionId);
      const written = await writeSessionSummary(
        transaction,
        contextOf(ref, facts, trace, { usage, claimsDropped }, { fromSeq: 1, toSeq: facts.consumedSeq }),
        draft,
      );
      await requestSummaryVectors(transaction, embeddingModel, ref, written);
      const summary = written[0] ?? (await findSessionSummary(transaction, ref.sessionId));
      // Last, since it locks the session, which captures wait for.
      await writeTitle(transaction, ref.sessionId, draft.title);
      return summary?.id ?? null;
    });
    await tryHintIndex(hints, tenantId);
    return { ...cost, summaryId };
  };

  return {
    summariseWindows: (ref) =>
      withHeartbeat(async (signal) => {
        const tenantId = asId<TenantId>(ref.tenantId);
        await enter(ref, ref.phase);
        const deadline = clock.now() + WINDOWS_BUDGET_MS;
        const total = { summarised: 0, ...NO_COST };
        try {
          while (clock.now() < deadline) {
            // The next call is deferred.
            if (total.summarised > 0 && (await isBurst())) break;
            const cost = await summariseNext(ref, signal);
            if (cost === null) break;
            total.summarised += 1;
            total.calls += cost.calls;
            total.tokens += cost.tokens;
            total.usd += cost.usd;
          }
        } catch (error) {
          // Summaries so far are counted; the next call meets the failure at its first window.
          if (total.summarised === 0 || signal.aborted) throw error;
        }
        const counts = await database.asTenant(tenantId, (transaction) => countWindows(transaction, ref.sessionId));
        if (counts.pending === 0 && ref.phase === 'summarising') await windowsDone(ref);
        await tryHintIndex(hints, tenantId);
        return { windowsPending: counts.pending, windowsParked: counts.parked, ...total };
      }),

    summariseSession: (ref) =>
      withHeartbeat((signal) =>
        tracer.unit(
          'summarise.session',
          () => marksOfSession(database, asId(ref.tenantId), ref.sessionId),
          () => summariseComplete(ref, signal),
          { 'recollect.session_id': ref.sessionId },
        ),
      ),
  };
}
