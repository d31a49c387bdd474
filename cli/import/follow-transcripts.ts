import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { passesByItself } from './import-api.ts';
import type { ImportApi } from './import-api.ts';
import { progressLine, summaryText } from './report.ts';
import { streamTranscripts } from './stream-import.ts';
import type { SentFiles, StreamProgress } from './stream-import.ts';

export interface Following {
  readonly api: ImportApi;
  /** Absolute; waited for where there is none yet. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Between two looks; 10 seconds. */
  readonly pollMs?: number;
  /** Of the waits for a server that is away: the first, doubled up to the longest. A second, a minute. */
  readonly firstWaitMs?: number;
  readonly longestWaitMs?: number;
}

const LOOK_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Says what is new: everything at first, afterwards only what was sent. A service writes this to its log for months. */
function tell({ files, counts }: StreamProgress, isFirst: boolean, { out }: CommandContext['output']): void {
  if (isFirst) out(summaryText(files, counts));
  else if (files.done > 0) out(`${progressLine(files, counts)}\n`);
}

/**
 * Sends a folder's transcripts as they grow, until it is told to stop (130). A server that is away or busy is waited for, and files go on
 * where they were. Rejects with RecollectError where waiting does not help: a key that was revoked, say.
 */
export async function followTranscripts(following: Following, { output }: CommandContext): Promise<ExitCode> {
  const { api, folder, signal, pollMs = LOOK_MS, firstWaitMs = FIRST_WAIT_MS } = following;
  const longestWaitMs = following.longestWaitMs ?? LONGEST_WAIT_MS;
  const sent: SentFiles = new Map();
  let [isFirst, isUnavailable, isAbsent] = [true, false, false];
  let waitMs = firstWaitMs;
  output.out(`Following ${folder}\n`);
  while (!signal.aborted) {
    const before = sent.size;
    let pauseMs = pollMs;
    try {
      const result = await streamTranscripts({ api, folder, signal, onProgress: () => {}, sent });
      if (isUnavailable) output.out('The server takes transcripts again.\n');
      tell(result, isFirst, output);
      [isFirst, isUnavailable, isAbsent] = [false, false, false];
      waitMs = firstWaitMs;
    } catch (error) {
      if (signal.aborted) break;
      if (isMissing(error)) {
        if (!isAbsent) output.out(`There is no folder ${folder} yet: it is waited for.\n`);
        isAbsent = true;
      } else if (passesByItself(error)) {
        if (!isUnavailable)
          output.err(`${error.message}. Trying again until it takes them; files go on where they were.\n`);
        isUnavailable = true;
        // What was sent meanwhile says that it is there.
        if (sent.size > before) waitMs = firstWaitMs;
        pauseMs = waitMs;
        waitMs = Math.min(waitMs * 2, longestWaitMs);
      } else throw error;
    }
    // Aborted is no failure: the loop ends by it.
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  output.out('Stopped. Run it again: it goes on where it stopped.\n');
  return 130;
}
