import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { isTransient } from './import-api.ts';
import type { ImportApi } from './import-api.ts';
import { progressLine, summaryText } from './report.ts';
import { streamTranscripts } from './stream-import.ts';
import type { SentFiles, StreamProgress } from './stream-import.ts';

export interface Following {
  readonly api: ImportApi;
  /** Absolute; may not exist yet. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Poll interval; default 10 s. */
  readonly pollMs?: number;
  /** First and longest wait for an unavailable server, doubling; defaults 1 s and 60 s. */
  readonly firstWaitMs?: number;
  readonly longestWaitMs?: number;
}

const POLL_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Prints the full summary once, later only new imports: a service writes this to its log for months. */
function report({ files, counts }: StreamProgress, isFirst: boolean, { out }: CommandContext['output']): void {
  if (isFirst) out(summaryText(files, counts));
  else if (files.done > 0) out(`${progressLine(files, counts)}\n`);
}

/**
 * Sends a folder's transcripts as they grow, until aborted (130). Waits for an unavailable or busy server and resumes each file. Rejects
 * with RecollectError for permanent failures such as a revoked key.
 */
export async function followTranscripts(following: Following, { output }: CommandContext): Promise<ExitCode> {
  const { api, folder, signal, pollMs = POLL_MS, firstWaitMs = FIRST_WAIT_MS } = following;
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
      if (isUnavailable) output.out('The server accepts transcripts again.\n');
      report(result, isFirst, output);
      [isFirst, isUnavailable, isAbsent] = [false, false, false];
      waitMs = firstWaitMs;
    } catch (error) {
      if (signal.aborted) break;
      if (isMissing(error)) {
        if (!isAbsent) output.out(`Folder ${folder} does not exist yet; waiting for it.\n`);
        isAbsent = true;
      } else if (isTransient(error)) {
        if (!isUnavailable) output.err(`${error.message}. Retrying; files resume at their last position.\n`);
        isUnavailable = true;
        // A file was sent: the server was available.
        if (sent.size > before) waitMs = firstWaitMs;
        pauseMs = waitMs;
        waitMs = Math.min(waitMs * 2, longestWaitMs);
      } else throw error;
    }
    // An abort ends the loop.
    await wait(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  output.out('Stopped. Run the command again to resume.\n');
  return 130;
}
