import type { CommandContext, ExitCode } from '../command-context.ts';
import { followTranscripts } from './follow-transcripts.ts';
import type { ImportAnswer } from './import-api.ts';
import { asStep, runImport } from './import-job.ts';
import type { ImportRequest } from './import-job.ts';
import { progressLine, summaryText } from './report.ts';
import { streamTranscripts } from './stream-import.ts';

interface TranscriptsRequest extends ImportRequest {
  /** Absolute. */
  readonly folder: string;
  readonly follow: boolean;
}

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

/** Sends this machine's transcripts to the server once. */
function sendAll({ api, folder, signal }: TranscriptsRequest, context: CommandContext): Promise<ExitCode> {
  const { out } = context.output;
  out(`Sending ${folder}\n`);
  return asStep(
    STEP,
    context,
    signal,
    async (step) => {
      const result = await streamTranscripts({
        api,
        folder,
        signal,
        onProgress: ({ files, counts }) => step.update(progressLine(files, counts)),
      });
      step.done(progressLine(result.files, result.counts));
      out(summaryText(result.files, result.counts));
      return 0;
    },
    () => out('Stopped. Run the command again to resume.\n'),
  );
}

/** Imports the transcripts of a folder. Rejects with RecollectError. */
export function importTranscripts(request: TranscriptsRequest, context: CommandContext): Promise<ExitCode> {
  const { api, folder, follow } = request;
  const left = follow ? 'The server continues to follow.' : 'The import continues on the server.';
  return runImport(
    {
      name: STEP,
      start: () => api.start(folder, follow),
      line: ({ files, counts }) => progressLine(files, counts),
      showEnd: (job) => showEnd(job, context),
      showLeft: ({ id }) => context.output.out(`${left}\n${jobHints(id)}`),
      send: () => (follow ? followTranscripts(request, context) : sendAll(request, context)),
    },
    request,
    context,
  );
}
