import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import { ROW, STEP, SWEEP } from '../activity-options.ts';
import { QUEUES } from '../registry.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { JobEnd } from '../run-job.ts';
import type {
  ClaudeMemActivities,
  ClaudeMemCounts,
  ClaudeMemInput,
  ImportInput,
  ImportStep,
  ImportView,
  TranscriptActivities,
  TranscriptCounts,
  WatchResult,
} from './types.ts';

type Reading = Pick<TranscriptActivities, 'readTranscripts'> & Pick<ClaudeMemActivities, 'readClaudeMem'>;

/** Steps of one run: with each a handful of events, a history stays in the hundreds. */
const MAX_STEPS = 100;
/** Between two reads of an import that follows. */
const FOLLOW_MS = 10_000;

/** A step reads for half a minute (transcripts) or minutes (a copy of a database), longer only for one huge turn, and commits continuously. */
function readingOf(tenantId: string): Reading {
  return proxyActivities<Reading>({
    ...STEP,
    taskQueue: QUEUES.transcripts,
    // One tenant's years of transcripts must not keep another one's import waiting.
    priority: { fairnessKey: tenantId },
  });
}

const ending = proxyActivities<
  Pick<TranscriptActivities, 'finishImport'> & Pick<ClaudeMemActivities, 'finishClaudeMem'>
>({ ...ROW, taskQueue: QUEUES.transcripts });

/** Each attempt continues where the last one ended. */
const watching = proxyActivities<Pick<TranscriptActivities, 'watchTranscripts'>>({
  ...SWEEP,
  taskQueue: QUEUES.transcripts,
  startToCloseTimeout: '2 minutes',
});

/** Reads an import step by step and records its end. Returns the progress, and false if the run has to continue as new. */
async function readAll<Counts>(
  first: ImportView<Counts>,
  read: () => Promise<ImportStep<Counts>>,
  end: (how: JobEnd) => Promise<void>,
  follow: boolean,
): Promise<{ readonly isRead: boolean; readonly view: ImportView<Counts> }> {
  const progress = new Progress(first);
  const isRead = await runJob(async () => {
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { more, ...counts } = await read();
      progress.view = { ...progress.view, ...counts, steps: progress.view.steps + 1 };
      if (more) continue;
      if (!follow) {
        await finish(() => end({ state: 'completed', error: null }));
        return true;
      }
      await sleep(FOLLOW_MS);
    }
    return false;
  }, end);
  return { isRead, view: progress.view };
}

/** Imports a folder of transcripts. If it is cancelled, read rows stay; the next import continues from there. */
export async function transcriptImport(input: ImportInput): Promise<ImportView> {
  const { tenantId, importId } = input;
  const reading = readingOf(tenantId);
  const { isRead, view } = await readAll<TranscriptCounts>(
    input.view ?? { filesTotal: 0, filesDone: 0, steps: 0 },
    () => reading.readTranscripts({ tenantId, importId }),
    (how) => ending.finishImport({ tenantId, importId, ...how }),
    input.follow,
  );
  return isRead ? view : continueAsNew<typeof transcriptImport>({ ...input, view });
}

/** Imports a claude-mem database. If it is cancelled, read rows stay; the next import finds them. */
export async function claudeMemImport(input: ClaudeMemInput): Promise<ImportView<ClaudeMemCounts>> {
  const { tenantId, importId } = input;
  const reading = readingOf(tenantId);
  const { isRead, view } = await readAll<ClaudeMemCounts>(
    input.view ?? { rowsTotal: 0, rowsDone: 0, steps: 0 },
    () => reading.readClaudeMem({ tenantId, importId }),
    (how) => ending.finishClaudeMem({ tenantId, importId, ...how }),
    false,
  );
  return isRead ? view : continueAsNew<typeof claudeMemImport>({ tenantId, importId, view });
}

/** Finds in the transcripts of this machine what hooks missed. */
export async function transcriptWatch(): Promise<WatchResult> {
  return watching.watchTranscripts();
}
