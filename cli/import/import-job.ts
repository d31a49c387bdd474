import { RecollectError } from '../../client/index.ts';
import type { ProgressStep } from '../../infra/supervisor/progress.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { terminalProgress } from '../text/terminal-progress.ts';
import { growingPause } from '../waiting.ts';
import type { ImportAnswer, ImportApi } from './import-api.ts';

/** An import to run: by the server, or by this process. */
export interface ImportRequest {
  readonly api: ImportApi;
  /** The server is on another machine and cannot read local files. */
  readonly isRemote: boolean;
  readonly signal: AbortSignal;
}

/** Texts and steps of one kind of import. */
interface ImportKind {
  readonly name: string;
  readonly start: () => Promise<ImportAnswer>;
  /** Returns the progress of a job in one line. */
  readonly line: (job: ImportAnswer) => string;
  /** Prints the result of a job. */
  readonly showEnd: (job: ImportAnswer) => ExitCode;
  /** Prints how to go on with a job that continues on the server. */
  readonly showLeft: (job: ImportAnswer) => void;
  /** Sends the source from this process. */
  readonly send: () => Promise<ExitCode>;
}

/** Runs work that shows its progress as a step. An abort calls `stopped` and returns 130. */
export async function asStep(
  name: string,
  { output }: CommandContext,
  signal: AbortSignal,
  work: (step: ProgressStep) => Promise<ExitCode>,
  stopped: () => void,
): Promise<ExitCode> {
  const progress = terminalProgress(output, { verbose: false });
  try {
    return await work(progress.step(name));
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    stopped();
    return 130;
  }
}

/** Imports: the server reads the source if it can, else this process sends it. Ctrl-C leaves a job of the server running. Rejects with RecollectError. */
export async function runImport(kind: ImportKind, request: ImportRequest, context: CommandContext): Promise<ExitCode> {
  const { api, isRemote, signal } = request;
  if (isRemote) return kind.send();
  let job: ImportAnswer;
  try {
    job = await kind.start();
  } catch (error) {
    // On another machine, or not readable for the server.
    if (error instanceof RecollectError && (error.code === 'FORBIDDEN' || error.code === 'VALIDATION_FAILED'))
      return kind.send();
    throw error;
  }
  context.output.out(`Reading ${job.directory}\n`);
  const pause = growingPause(signal);
  return asStep(
    kind.name,
    context,
    signal,
    async (step) => {
      while (job.state === 'running') {
        step.update(kind.line(job));
        await pause();
        job = await api.show(job.id);
      }
      step.done(kind.line(job));
      return kind.showEnd(job);
    },
    () => kind.showLeft(job),
  );
}
