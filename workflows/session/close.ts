import { executeChild, ParentClosePolicy, proxyActivities, sleep, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { modelCalls } from '../activity-options.ts';
import { isInstanceFailure } from '../failures.ts';
import { ATTRIBUTES, workflowIdOf } from '../registry.ts';
import type { SessionRun } from './run.ts';
import type { LearningActivities, LearningResult, SessionRef } from './types.ts';

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

/** Summarises the session, extracts its learnings and ends it: its vectors follow. Not settled as soon as something new was captured. */
export async function closeSession(run: SessionRun): Promise<Closed> {
  const reopened = () => run.isReopened;
  run.apply({ type: 'closingStarted' });
  if (!run.infers) return { settled: await run.settle(), summaryId: null };
  run.markInTemporal('closing');
  const { outcome, summaryId } = await run.summariseSession('closing', reopened);
  if (outcome === 'interrupted') return { settled: false, summaryId };
  // A child, not an activity: users list, inspect and cancel the learning of a session as a job of its own.
  const learned = await run.withProvider(async () => {
    const cost = await executeChild(learning, {
      workflowId: workflowIdOf('learning', run.ref.tenantId, run.ref.sessionId),
      typedSearchAttributes: [{ key: ATTRIBUTES.tenant, value: run.ref.tenantId }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      args: [run.ref],
    });
    run.apply({ type: 'modelUsed', cost });
  }, reopened);
  if (learned === 'interrupted' || run.state.hinted) return { settled: false, summaryId };
  return { settled: await run.settle(), summaryId };
}
