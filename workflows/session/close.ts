import { condition, executeChild, ParentClosePolicy, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { learningWorkflowId } from '../ids.ts';
import { learning } from '../learning/workflow.ts';
import { MAX_PROVIDER_WAIT_MS } from '../provider-wait.ts';
import { INDEX_CHECK_MS } from './limits.ts';
import { database } from './policy.ts';
import type { SessionRun } from './run.ts';

/** What was closed: whether the session is over, and its summary. */
export interface Closed {
  readonly settled: boolean;
  readonly summaryId: string | null;
}

/** Sums the session up, learns from it and waits for its vectors. Not settled as soon as something new was captured. */
export async function closeSession(run: SessionRun): Promise<Closed> {
  const reopened = () => run.isReopened;
  await run.enter('closing');
  run.vectorsDone = false;
  const { outcome, summaryId } = await run.sumUp('closing', reopened);
  if (outcome === 'interrupted') return { settled: false, summaryId };
  let pending: number | undefined;
  const learned = await run.withProvider(async () => {
    const result = await executeChild(learning, {
      workflowId: learningWorkflowId(run.ref.tenantId, run.ref.sessionId),
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      args: [run.ref],
    });
    pending = result.pending;
    run.spend(result);
  }, reopened);
  if (learned === 'interrupted') return { settled: false, summaryId };
  const settled = run.fewTasks ? await settleWhenIndexed(run, pending ?? 0) : await countThenSettle(run);
  return { settled, summaryId };
}

/** Waits for the word that the vectors are written, looking for itself from time to time; then ends the session. */
async function settleWhenIndexed(run: SessionRun, learnedPending: number): Promise<boolean> {
  let pending = learnedPending;
  for (let checkMs = INDEX_CHECK_MS; ; checkMs = MAX_PROVIDER_WAIT_MS) {
    let told = true;
    if (pending > 0) {
      told = await condition(() => run.vectorsDone || run.retrying || run.isReopened, checkMs);
      if (run.isReopened) return false;
      run.vectorsDone = false;
      run.retrying = false;
      if (!told && run.waiting === null) {
        run.waiting = { reason: 'VectorsPending', untilMs: Date.now() + MAX_PROVIDER_WAIT_MS };
        run.mark('closing');
      }
    }
    if (run.hinted) return false;
    const shown = told ? {} : { shown: { lastError: run.state.lastError } };
    const result = await database.settle({ ...run.ref, vectors: true, ...shown });
    if (result.settled) run.waiting = null;
    if (result.settled || (result.pending ?? 0) === 0) return result.settled;
    pending = result.pending ?? 0;
  }
}

/** The way of runs that began before `session-few-tasks`. */
async function countThenSettle(run: SessionRun): Promise<boolean> {
  run.vectorsDone = false;
  await database.hintIndex(run.ref);
  for (
    let checkMs = INDEX_CHECK_MS;
    (await database.countPending(run.ref)).pending > 0;
    checkMs = Math.min(checkMs * 2, MAX_PROVIDER_WAIT_MS)
  ) {
    const told = await condition(() => run.vectorsDone || run.isReopened, checkMs);
    if (run.isReopened) return false;
    run.vectorsDone = false;
    if (!told && run.waiting === null) {
      run.waiting = { reason: 'VectorsPending', untilMs: Date.now() + checkMs };
      await run.show('closing');
    }
  }
  run.waiting = null;
  if (run.hinted) return false;
  const { settled } = await database.settle(run.ref);
  return settled;
}
