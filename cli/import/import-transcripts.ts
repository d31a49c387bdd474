import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { terminalProgress } from '../text/terminal-progress.ts';
import { followTranscripts } from './follow-transcripts.ts';
import { RecollectError } from '../../client/index.ts';
import type { ImportAnswer, ImportApi } from './import-api.ts';
import { progressLine, summaryText } from './report.ts';
import { streamTranscripts } from './stream-import.ts';

export interface ImportRequest {
  readonly api: ImportApi;
  /** Absolute. */
  readonly folder: string;
  readonly follow: boolean;
  /** The server is on another machine and cannot read local files. */
  readonly isRemote: boolean;
  readonly signal: AbortSignal;
}

const POLL_MS = 500;
const STEP = 'transcripts';

function jobHints(id: string): string {
  return `  status  recollect import status ${id}\n  cancel  recollect import cancel ${id}\n`;
}

/** Prints the result of an import. Returns the exit code. */
export function showEnd(job: ImportAnswer, context: CommandContext): ExitCode {
  const { out, err } = context.output;
  out(summaryText(job.files, job.counts));
  if (job.state === 'failed') {
    err(`The import failed: ${job.error ?? 'Unexpected'}. Run the command again to resume.\n`);
    return 1;
  }
  if (job.state === 'cancelled') out('Import cancelled; imported rows remain.\n');
  if (job.state === 'running') out(`The import is running.\n${jobHints(job.id)}`);
  return 0;
}

/** Shows the progress of a job of the server until it ends. Ctrl-C leaves the job running. */
async function watchJob(job: ImportAnswer, request: ImportRequest, context: CommandContext): Promise<ExitCode> {
  const { api, follow, signal } = request;
  const { out } = context.output;
  const progress = terminalProgress(context.output, { verbose: false });
  const step = progress.step(STEP);
  out(`Reading ${job.directory}\n`);
  let now = job;
  try {
    while (now.state === 'running') {
      step.update(progressLine(now.files, now.counts));
      await wait(POLL_MS, undefined, { signal });
      now = await api.show(now.id);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    out(`${follow ? 'The server continues to follow.' : 'The import continues on the server.'}\n${jobHints(job.id)}`);
    return 130;
  }
  step.done(progressLine(now.files, now.counts));
  return showEnd(now, context);
}

/** Sends this machine's transcripts to the server once. */
async function sendAll(request: ImportRequest, context: CommandContext): Promise<ExitCode> {
  const { api, folder, signal } = request;
  const { out } = context.output;
  const progress = terminalProgress(context.output, { verbose: false });
  out(`Sending ${folder}\n`);
  const step = progress.step(STEP);
  try {
    const result = await streamTranscripts({
      api,
      folder,
      signal,
      onProgress: ({ files, counts }) => step.update(progressLine(files, counts)),
    });
    step.done(progressLine(result.files, result.counts));
    out(summaryText(result.files, result.counts));
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    out('Stopped. Run the command again to resume.\n');
    return 130;
  }
}

/** Returns true if the server cannot read the folder: on another machine, or not permitted. */
function isLeftToClient(error: unknown): boolean {
  return error instanceof RecollectError && (error.code === 'FORBIDDEN' || error.code === 'VALIDATION_FAILED');
}

/** Imports the transcripts of a folder: the server reads them if it can, else this process sends them. Rejects with RecollectError. */
export async function importTranscripts(request: ImportRequest, context: CommandContext): Promise<ExitCode> {
  const send = () => (request.follow ? followTranscripts(request, context) : sendAll(request, context));
  if (request.isRemote) return send();
  let job: ImportAnswer;
  try {
    job = await request.api.start(request.folder, request.follow);
  } catch (error) {
    if (isLeftToClient(error)) return send();
    throw error;
  }
  return watchJob(job, request, context);
}
