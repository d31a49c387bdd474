import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { JobEnd } from '../run-job.ts';
import type { ImportInput, ImportView, TranscriptActivities, WatchResult } from './types.ts';

/** Steps of one run: with each a handful of events, a history stays in the hundreds. */
const MAX_STEPS = 100;
/** Between two looks of an import that follows. */
const FOLLOW_MS = 10_000;

/**
 * A step reads for half a minute, longer only for one huge turn, and commits continuously: a failed attempt costs only time. The
 * import continues after up to a day without storage.
 */
function readingOf(tenantId: string): Pick<TranscriptActivities, 'readTranscripts'> {
  return proxyActivities<Pick<TranscriptActivities, 'readTranscripts'>>({
    // One tenant's years of transcripts must not keep another one's import waiting.
    priority: { fairnessKey: tenantId },
    taskQueue: QUEUES.transcripts,
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '1 day',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
}

/** One short transaction that people wait to see. */
const ending = proxyActivities<Pick<TranscriptActivities, 'finishImport'>>({
  taskQueue: QUEUES.transcripts,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Each attempt continues where the last one ended, so that it can be retried without limit; none run concurrently. */
const watching = proxyActivities<Pick<TranscriptActivities, 'watchTranscripts'>>({
  taskQueue: QUEUES.transcripts,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '10 seconds' },
});

/** Imports a folder of transcripts step by step. If it is cancelled, read rows stay; the next import continues from there. */
export async function transcriptImport(input: ImportInput): Promise<ImportView> {
  const { tenantId, importId } = input;
  const progress = new Progress<ImportView>(input.view ?? { filesTotal: 0, filesDone: 0, steps: 0 });
  const reading = readingOf(tenantId);
  const end = (how: JobEnd) => ending.finishImport({ tenantId, importId, ...how });
  const isRead = await runJob(async () => {
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { filesTotal, filesDone, more } = await reading.readTranscripts({ tenantId, importId });
      progress.view = { filesTotal, filesDone, steps: progress.view.steps + 1 };
      if (more) continue;
      if (!input.follow) {
        await finish(() => end({ state: 'completed', error: null }));
        return true;
      }
      await sleep(FOLLOW_MS);
    }
    return false;
  }, end);
  return isRead ? progress.view : continueAsNew<typeof transcriptImport>({ ...input, view: progress.view });
}

/** Finds in the transcripts of this machine what hooks missed. */
export async function transcriptWatch(): Promise<WatchResult> {
  return watching.watchTranscripts();
}
