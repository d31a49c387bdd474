import {
  CancellationScope,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { IMPORT_PROGRESS_QUERY } from './messages.ts';
import type { ImportEnd, ImportInput, ImportView, TranscriptActivities, WatchResult } from './types.ts';

const progress = defineQuery<ImportView>(IMPORT_PROGRESS_QUERY);

/** Steps of one run: with each a handful of events, a history stays in the hundreds. */
const MAX_STEPS = 100;
/** Between two looks of an import that follows. */
const FOLLOW_MS = 10_000;

/**
 * A step reads for half a minute, longer only for one huge turn, and commits as it goes: an attempt that dies costs nothing but time. The
 * store may be away for a day, and the import goes on.
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

/** A look goes on where the last one ended, so that it may be done again, as often as it takes: none begins beside it. */
const watching = proxyActivities<Pick<TranscriptActivities, 'watchTranscripts'>>({
  taskQueue: QUEUES.transcripts,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '10 seconds' },
});

function end(input: ImportInput, state: ImportEnd['state'], error: string | null): Promise<void> {
  const { tenantId, importId } = input;
  return CancellationScope.nonCancellable(() => ending.finishImport({ tenantId, importId, state, error }));
}

/** Reads a folder of transcripts, step by step. Cancelled, it leaves what was read in place: the next import goes on from there. */
export async function transcriptImport(input: ImportInput): Promise<ImportView> {
  let view: ImportView = input.view ?? { filesTotal: 0, filesDone: 0, steps: 0 };
  setHandler(progress, () => view);
  const reading = readingOf(input.tenantId);
  try {
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { tenantId, importId } = input;
      const step = await reading.readTranscripts({ tenantId, importId });
      view = { filesTotal: step.filesTotal, filesDone: step.filesDone, steps: view.steps + 1 };
      if (step.more) continue;
      if (!input.follow) {
        await end(input, 'completed', null);
        return view;
      }
      await sleep(FOLLOW_MS);
    }
  } catch (error) {
    await (isCancellation(error) ? end(input, 'cancelled', null) : end(input, 'failed', failureReason(error)));
    throw error;
  }
  return continueAsNew<typeof transcriptImport>({ ...input, view });
}

/** Finds in the transcripts of this machine what hooks missed. */
export async function transcriptWatch(): Promise<WatchResult> {
  return watching.watchTranscripts();
}
