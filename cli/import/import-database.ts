import { ClaudeMemSourceError, openClaudeMem } from '../../infra/claude-mem/open-database.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { table } from '../output.ts';
import { grouped } from '../text/text-layout.ts';
import type { ImportAnswer, ImportedTable } from './import-api.ts';
import { asStep, runImport } from './import-job.ts';
import type { ImportRequest } from './import-job.ts';
import { progressBar } from './report.ts';
import { streamDatabase } from './stream-database.ts';

/** Reasons for rows that are not imported, in report order. */
const RULES: readonly (readonly [keyof ImportedTable['dropped'], string])[] = [
  ['private', 'private'],
  ['empty', 'empty'],
  ['observer', 'written by claude-mem’s observer'],
  ['processed', 'messages with imported observations'],
  ['no_event', 'messages without an event'],
];

/** Returns the progress of an import in one line. */
function databaseLine({ done, total }: { readonly done: number; readonly total: number }): string {
  return `${progressBar(total === 0 ? 1 : done / total)} ${grouped(done)} of ${grouped(total)} rows`;
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

interface DatabaseRequest extends ImportRequest {
  /** Absolute. */
  readonly file: string;
  readonly dryRun: boolean;
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

/** Sends the rows of this machine's database to the server. */
function sendAll({ api, file, dryRun, signal }: DatabaseRequest, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  return asStep(
    STEP,
    context,
    signal,
    async (step) => {
      try {
        const source = await openClaudeMem(file);
        try {
          out(`Sending ${file}\n`);
          const onProgress = (rows: NonNullable<ImportAnswer['rows']>) => step.update(databaseLine(rows));
          const result = await streamDatabase({ api, source, dryRun, signal, onProgress });
          step.done(databaseLine(result.rows));
          return reportEnd({ ...result, dryRun }, context);
        } finally {
          await source.close();
        }
      } catch (error) {
        if (!(error instanceof ClaudeMemSourceError)) throw error;
        err(`${file}: ${error.message}.\n`);
        return 1;
      }
    },
    () => out('Stopped. Run the command again: rows are imported once.\n'),
  );
}

/** Imports a claude-mem database. Rejects with RecollectError. */
export function importDatabase(request: DatabaseRequest, context: CommandContext): Promise<ExitCode> {
  return runImport(
    {
      name: STEP,
      start: () => request.api.startDatabase(request.file, request.dryRun),
      line: ({ rows }) => databaseLine(rows ?? NO_ROWS),
      showEnd: (job) => showDatabaseEnd(job, context),
      showLeft: (job) => {
        context.output.out('The import continues on the server.\n');
        showDatabaseEnd(job, context);
      },
      send: () => sendAll(request, context),
    },
    request,
    context,
  );
}
