import {
  condition,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  sleep,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { modelCalls } from '../activity-options.ts';
import { isInstanceFailure, MAX_PROVIDER_WAIT_MS } from '../failures.ts';
import { ATTRIBUTES, workflowIdOf } from '../registry.ts';
import { database } from './run.ts';
import type { SessionRun } from './run.ts';
import type { LearningActivities, LearningResult, SessionRef } from './types.ts';

/** First check for vectors without a signal; the next ones follow after the longest wait for a provider. */
const INDEX_CHECK_MS = 60_000;

/** The time that a restart of every engine takes many times over. A session whose learning waits longer shows what it waits for. */
const MAX_RESTART_MS = 600_000;
const RESTART_CHECK_MS = 5_000;

/**
 * Extracts the learnings of a session. Waits while a part of this instance restarts: the few attempts are for the provider. The provider's
 * outage and a longer one of the instance fail the run, and the session waits them out.
 */
export async function learning(input: SessionRef): Promise<LearningResult> {
  const { extractLearnings } = proxyActivities<LearningActivities>(modelCalls(input.tenantId));
  for (const untilMs = Date.now() + MAX_RESTART_MS; ; await sleep(RESTART_CHECK_MS)) {
    try {
      return await extractLearnings(input);
    } catch (error) {
      if (!isInstanceFailure(error) || Date.now() >= untilMs) throw error;
    }
  }
}

/** Whether the session has ended, and its summary. */
export interface Closed {
  readonly settled: boolean;
  readonly summaryId: string | null;
}

/** Summarises the session, extracts its learnings and waits for its vectors. Not settled as soon as something new was captured. */
export async function closeSession(run: SessionRun): Promise<Closed> {
  const reopened = () => run.isReopened;
  run.apply({ type: 'closingStarted' });
  run.markInTemporal('closing');
  const { outcome, summaryId } = await run.summariseSession('closing', reopened);
  if (outcome === 'interrupted') return { settled: false, summaryId };
  let pending = 0;
  // A child, not an activity: users list, inspect and cancel the learning of a session as a job of its own.
  const learned = await run.withProvider(async () => {
    const result = await executeChild(learning, {
      workflowId: workflowIdOf('learning', run.ref.tenantId, run.ref.sessionId),
      typedSearchAttributes: [{ key: ATTRIBUTES.tenant, value: run.ref.tenantId }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      args: [run.ref],
    });
    pending = result.pending;
    run.apply({ type: 'modelUsed', cost: result });
  }, reopened);
  if (learned === 'interrupted') return { settled: false, summaryId };
  return { settled: await settleWhenIndexed(run, pending), summaryId };
}

/** Waits for the signal that the vectors are written, and checks the ledger from time to time; then ends the session. */
async function settleWhenIndexed(run: SessionRun, learnedPending: number): Promise<boolean> {
  let pending = learnedPending;
  for (let checkMs = INDEX_CHECK_MS; ; checkMs = MAX_PROVIDER_WAIT_MS) {
    let signalled = true;
    if (pending > 0) {
      signalled = await condition(
        () => run.state.vectorsIndexed || run.state.retryRequested || run.isReopened,
        checkMs,
      );
      if (run.isReopened) return false;
      run.apply({ type: 'vectorCheckStarted' });
      if (!signalled && run.state.waiting === null) {
        run.apply({ type: 'waitStarted', reason: 'VectorsPending', untilMs: Date.now() + MAX_PROVIDER_WAIT_MS });
        run.markInTemporal('closing');
      }
    }
    if (run.state.hinted) return false;
    const shown = signalled ? {} : { shown: { lastError: run.state.carried.lastError } };
    const result = await database.settle({ ...run.ref, ...shown });
    if (result.settled) run.apply({ type: 'waitEnded' });
    if (result.settled || result.pending === 0) return result.settled;
    pending = result.pending;
  }
}
