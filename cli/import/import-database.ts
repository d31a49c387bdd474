import { ClaudeMemSourceError, openClaudeMem } from '../../infra/claude-mem/open-database.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { growingPause } from '../waiting.ts';
import { terminalProgress } from '../text/terminal-progress.ts';
import { RecollectError } from '../../client/index.ts';
import type { ImportAnswer, ImportApi, ImportedTable } from './import-api.ts';
import { streamDatabase } from './stream-database.ts';
import { table } from '../output.ts';

/** Reasons for rows that are not imported, in report order. */
const RULES: readonly (readonly [keyof ImportedTable['dropped'], string])[] = [
  ['private', 'private'],
  ['empty', 'empty'],
  ['observer', 'written by claude-mem’s observer'],
  ['processed', 'messages with imported observations'],
  ['no_event', 'messages without an event'],
];
const BAR_CHARS = 24;

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** Returns the progress of an import in one line. */
function databaseLine({ done, total }: { readonly done: number; readonly total: number }): string {
  const filled = Math.round((total === 0 ? 1 : Math.min(1, done / total)) * BAR_CHARS);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}] ${grouped(done)} of ${grouped(total)} rows`;
}

/** Returns the outcome of all rows by table, and each exclusion with its reason. */
function databaseReport(
  tables: readonly ImportedTable[],
  rows: NonNullable<ImportAnswer['rows']>,
  dryRun: boolean,
): string {
  const head = [
    '',
    'source',
    dryRun ? 'to import' : 'imported',
    'present',
    'rejected',
    'excluded',
    'recorded',
    'unaccounted',
  ];
  const lines = tables.map(
    ({ table: name, source_rows, imported, present, refused, dropped, recorded_rows, unaccounted }) => [
      name,
      ...[source_rows, imported, present, refused, Object.values(dropped).reduce((sum, value) => sum + value, 0)].map(
        grouped,
      ),
      recorded_rows === null ? '-' : grouped(recorded_rows),
      grouped(unaccounted),
    ],
  );
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const padded = [head, ...lines].map((line) =>
    line.map((cell, column) => (column === 0 ? `  ${cell}` : cell.padStart(widths[column] ?? 0))),
  );
  const reasons = tables.flatMap(({ table: name, dropped, refused }) => [
    ...RULES.filter(([rule]) => dropped[rule] > 0).map(
      ([rule, words]) => `  ${name}: ${grouped(dropped[rule])} excluded: ${words}\n`,
    ),
    ...(refused > 0 ? [`  ${name}: ${grouped(refused)} rejected: forgotten, deleted, or capture disabled\n`] : []),
  ]);
  const notes = [
    ...(rows.sessions_made > 0
      ? [`  ${grouped(rows.sessions_made)} sessions created for rows whose session is missing\n`]
      : []),
    ...(rows.first_prompts > 0
      ? [`  ${grouped(rows.first_prompts)} first prompts came from the sessions table only\n`]
      : []),
  ];
  return [table(padded), ...reasons, ...notes].join('');
}

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
