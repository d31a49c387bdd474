import { table } from '../output.ts';
import type { ImportAnswer, ImportedTable } from './import-api.ts';

/** Why source rows are no recorded row, in the order in which it is told. */
const RULES: readonly (readonly [keyof ImportedTable['dropped'], string])[] = [
  ['private', 'private as a whole'],
  ['empty', 'nothing in them'],
  ['observer', 'of claude-mem’s own observer'],
  ['processed', 'messages whose observations are there'],
  ['no_event', 'messages that hold nothing'],
];
const BAR_CHARS = 24;

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** How far an import is, on one line. */
export function databaseLine({ done, total }: { readonly done: number; readonly total: number }): string {
  const filled = Math.round((total === 0 ? 1 : Math.min(1, done / total)) * BAR_CHARS);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}] ${grouped(done)} of ${grouped(total)} rows`;
}

/** What became of every row: source_rows, recorded_rows, and each difference with its rule. */
export function databaseReport(
  tables: readonly ImportedTable[],
  rows: NonNullable<ImportAnswer['rows']>,
  dryRun: boolean,
): string {
  const head = [
    '',
    'source_rows',
    dryRun ? 'would come' : 'imported',
    'here already',
    'not taken',
    'left out',
    'recorded_rows',
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
  const why = tables.flatMap(({ table: name, dropped, refused }) => [
    ...RULES.filter(([rule]) => dropped[rule] > 0).map(
      ([rule, words]) => `  ${name}: ${grouped(dropped[rule])} left out: ${words}\n`,
    ),
    ...(refused > 0
      ? [`  ${name}: ${grouped(refused)} not taken: forgotten or deleted here, or capture is off\n`]
      : []),
  ]);
  const beside = [
    ...(rows.sessions_made > 0
      ? [`  ${grouped(rows.sessions_made)} sessions were made for rows whose session is gone\n`]
      : []),
    ...(rows.first_prompts > 0
      ? [`  ${grouped(rows.first_prompts)} first prompts stood with their session only\n`]
      : []),
  ];
  return [table(padded), ...why, ...beside].join('');
}
