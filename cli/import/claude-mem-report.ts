import { table } from '../output.ts';
import type { ImportAnswer, ImportedTable } from './import-api.ts';

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
export function databaseLine({ done, total }: { readonly done: number; readonly total: number }): string {
  const filled = Math.round((total === 0 ? 1 : Math.min(1, done / total)) * BAR_CHARS);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}] ${grouped(done)} of ${grouped(total)} rows`;
}

/** Returns the outcome of all rows by table, and each exclusion with its reason. */
export function databaseReport(
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
