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
  /** The server is on another machine, as far as is known: it cannot read this one's files. */
  readonly isRemote: boolean;
  readonly signal: AbortSignal;
}

const POLL_MS = 500;
const STEP = 'transcripts';

function howToLook(id: string): string {
  return `  look at it  recollect import status ${id}\n  stop it     recollect import cancel ${id}\n`;
}

/** What an import came to, and the code for the shell. */
export function showEnd(job: ImportAnswer, context: CommandContext): ExitCode {
  const { out, err } = context.output;
  out(summaryText(job.files, job.counts));
  if (job.state === 'failed') {
    err(`The import failed: ${job.error ?? 'Unexpected'}. Run it again: it goes on where it stopped.\n`);
    return 1;
  }
  if (job.state === 'cancelled') out('The import was cancelled; what was read stays.\n');
  if (job.state === 'running') out(`The import runs.\n${howToLook(job.id)}`);
  return 0;
}

/** Waits for a job of the server and shows how far it is. Ctrl-C leaves it running. */
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
      now = await api.look(now.id);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    out(`${follow ? 'The server goes on following.' : 'The import goes on in the server.'}\n${howToLook(job.id)}`);
    return 130;
  }
  step.done(progressLine(now.files, now.counts));
  return showEnd(now, context);
}

/** Sends this machine's transcripts once to a server that cannot read them. */
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
    out('Stopped. Run it again: it goes on where it stopped.\n');
    return 130;
  }
}

/** Whether the server leaves the folder to its client: it is not its own, or not one that it may read. */
function isLeftToClient(error: unknown): boolean {
  return error instanceof RecollectError && (error.code === 'FORBIDDEN' || error.code === 'VALIDATION_FAILED');
}

/** Imports the transcripts of a folder: by the server where it may read them, else by sending them. Rejects with RecollectError. */
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
