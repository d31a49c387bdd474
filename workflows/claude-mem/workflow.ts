import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { JobEnd } from '../run-job.ts';
import type { ClaudeMemActivities, ClaudeMemInput, ClaudeMemView } from './types.ts';

/** Steps of one run: with each a handful of events, a history stays in the hundreds. */
const MAX_STEPS = 100;

/**
 * A step opens a copy of the file, which may be large, and reads it for minutes; every batch is committed with its position, so that a failed
 * attempt costs one batch. The import continues after up to a day without storage.
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

/** Imports a claude-mem database step by step. If it is cancelled, read rows stay; the next import finds them. */
export async function claudeMemImport(input: ClaudeMemInput): Promise<ClaudeMemView> {
  const { tenantId, importId } = input;
  const progress = new Progress<ClaudeMemView>(input.view ?? { rowsTotal: 0, rowsDone: 0, steps: 0 });
  const reading = readingOf(tenantId);
  const end = (how: JobEnd) => ending.finishClaudeMem({ tenantId, importId, ...how });
  const isRead = await runJob(async () => {
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { rowsTotal, rowsDone, more } = await reading.readClaudeMem({ tenantId, importId });
      progress.view = { rowsTotal, rowsDone, steps: progress.view.steps + 1 };
      if (more) continue;
      await finish(() => end({ state: 'completed', error: null }));
      return true;
    }
    return false;
  }, end);
  return isRead ? progress.view : continueAsNew<typeof claudeMemImport>({ tenantId, importId, view: progress.view });
}
