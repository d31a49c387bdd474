import {
  CancellationScope,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { CLAUDE_MEM_PROGRESS_QUERY } from './messages.ts';
import type { ClaudeMemActivities, ClaudeMemEnd, ClaudeMemInput, ClaudeMemView } from './types.ts';

const progress = defineQuery<ClaudeMemView>(CLAUDE_MEM_PROGRESS_QUERY);

/** Steps of one run: with each a handful of events, a history stays in the hundreds. */
const MAX_STEPS = 100;

/**
 * A step opens a copy of the file, which may be large, and reads it for minutes; every batch is committed with its place, so that an attempt
 * that dies costs one batch. The store may be away for a day, and the import goes on.
 */
function readingOf(tenantId: string): Pick<ClaudeMemActivities, 'readClaudeMem'> {
  return proxyActivities<Pick<ClaudeMemActivities, 'readClaudeMem'>>({
    priority: { fairnessKey: tenantId },
    taskQueue: QUEUES.transcripts,
    startToCloseTimeout: '30 minutes',
    scheduleToCloseTimeout: '1 day',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
}

/** One short transaction that people wait to see. */
const ending = proxyActivities<Pick<ClaudeMemActivities, 'finishClaudeMem'>>({
  taskQueue: QUEUES.transcripts,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

function end(input: ClaudeMemInput, state: ClaudeMemEnd['state'], error: string | null): Promise<void> {
  const { tenantId, importId } = input;
  return CancellationScope.nonCancellable(() => ending.finishClaudeMem({ tenantId, importId, state, error }));
}

/** Takes a database of claude-mem in, step by step. Cancelled, it leaves what was read in place: the next import finds those rows present. */
export async function claudeMemImport(input: ClaudeMemInput): Promise<ClaudeMemView> {
  const { tenantId, importId } = input;
  let view: ClaudeMemView = input.view ?? { rowsTotal: 0, rowsDone: 0, steps: 0 };
  setHandler(progress, () => view);
  const reading = readingOf(tenantId);
  try {
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const step = await reading.readClaudeMem({ tenantId, importId });
      view = { rowsTotal: step.rowsTotal, rowsDone: step.rowsDone, steps: view.steps + 1 };
      if (step.more) continue;
      await end(input, 'completed', null);
      return view;
    }
  } catch (error) {
    await (isCancellation(error) ? end(input, 'cancelled', null) : end(input, 'failed', failureReason(error)));
    throw error;
  }
  return continueAsNew<typeof claudeMemImport>({ tenantId, importId, view });
}
