import { ClaudeMemSourceError, openClaudeMem } from '../../infra/claude-mem/open-database.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { growingPause } from '../growing-pause.ts';
import { terminalProgress } from '../text/terminal-progress.ts';
import { databaseLine, databaseReport } from './claude-mem-report.ts';
import { RecollectError } from '../../client/index.ts';
import type { ImportAnswer, ImportApi } from './import-api.ts';
import { streamDatabase } from './stream-database.ts';

export interface DatabaseRequest {
  readonly api: ImportApi;
  /** Absolute. */
  readonly file: string;
  readonly dryRun: boolean;
  readonly isRemote: boolean;
  readonly signal: AbortSignal;
}

const STEP = 'claude-mem';
const NO_ROWS = { total: 0, done: 0, sessions_made: 0, first_prompts: 0 };

function reportEnd(
  { rows, tables, dryRun }: Pick<ImportAnswer, 'rows' | 'tables'> & { readonly dryRun: boolean },
  { output }: CommandContext,
): ExitCode {
  const imported = tables ?? [];
  output.out(databaseReport(imported, rows ?? NO_ROWS, dryRun));
  const lost = imported.reduce((sum, { unaccounted }) => sum + unaccounted, 0);
  if (lost === 0) {
    output.out(dryRun ? 'Nothing was written.\n' : 'Every row is accounted for.\n');
    return 0;
  }
  output.err(`${lost} rows are not accounted for.\n`);
  return 1;
}

/** Prints the result of a database import. Returns 1 if a row is unaccounted. */
export function showDatabaseEnd(job: ImportAnswer, context: CommandContext): ExitCode {
  const { out, err } = context.output;
  if (job.state === 'completed') return reportEnd({ ...job, dryRun: job.dry_run }, context);
  out(`${databaseLine(job.rows ?? NO_ROWS)}\n`);
  if (job.state === 'failed') {
    err(`The import failed: ${job.error ?? 'Unexpected'}. Run the command again: rows are imported once.\n`);
    return 1;
  }
  if (job.state === 'cancelled') out('Import cancelled; imported rows remain.\n');
  else
    out(
      `The import is running.\n  status  recollect import status ${job.id}\n  cancel  recollect import cancel ${job.id}\n`,
    );
  return 0;
}

/** Shows the progress of a job of the server until it ends. Ctrl-C leaves the job running. */
async function watchJob(
  job: ImportAnswer,
  { api, signal }: DatabaseRequest,
  context: CommandContext,
): Promise<ExitCode> {
  const progress = terminalProgress(context.output, { verbose: false });
  const step = progress.step(STEP);
  context.output.out(`Reading ${job.directory}\n`);
  let now = job;
  const pause = growingPause(signal);
  try {
    while (now.state === 'running') {
      step.update(databaseLine(now.rows ?? NO_ROWS));
      await pause();
      now = await api.show(now.id);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.clear();
    context.output.out('The import continues on the server.\n');
    showDatabaseEnd(now, context);
    return 130;
  }
  step.done(databaseLine(now.rows ?? NO_ROWS));
  return showDatabaseEnd(now, context);
}

/** Sends the rows of this machine's database to the server. */
async function sendAll({ api, file, dryRun, signal }: DatabaseRequest, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  const progress = terminalProgress(context.output, { verbose: false });
  try {
    const source = await openClaudeMem(file);
    try {
      out(`Sending ${file}\n`);
      const step = progress.step(STEP);
      const onProgress = (rows: NonNullable<ImportAnswer['rows']>) => step.update(databaseLine(rows));
      const result = await streamDatabase({ api, source, dryRun, signal, onProgress });
      step.done(databaseLine(result.rows));
      return reportEnd({ ...result, dryRun }, context);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof ClaudeMemSourceError) {
      err(`${file}: ${error.message}.\n`);
      return 1;
    }
    if (!signal.aborted) throw error;
    progress.clear();
    out('Stopped. Run the command again: rows are imported once.\n');
    return 130;
  }
}

/** Imports a claude-mem database: the server reads it if it can, else this process sends its rows. Rejects with RecollectError. */
export async function importDatabase(request: DatabaseRequest, context: CommandContext): Promise<ExitCode> {
  if (request.isRemote) return sendAll(request, context);
  let job: ImportAnswer;
  try {
    job = await request.api.startDatabase(request.file, request.dryRun);
  } catch (error) {
    // On another machine, or not readable for the server.
    if (error instanceof RecollectError && (error.code === 'FORBIDDEN' || error.code === 'VALIDATION_FAILED'))
      return sendAll(request, context);
    throw error;
  }
  return watchJob(job, request, context);
}
