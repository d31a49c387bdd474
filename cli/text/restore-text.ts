import type { z } from 'zod';
import type { restoreSchema } from '../../contract/backups.ts';
import { table } from '../output.ts';
import { terminalText } from './terminal-text.ts';
import { ago, grouped } from './text-layout.ts';

export type Restore = z.output<typeof restoreSchema>;

/** Returns restores and drills as a table, newest first. */
export function restoreTable(restores: readonly Restore[], now: number): string {
  return table([
    ['RESTORE', 'KIND', 'STATE', 'AGE', 'BACKUP', 'ROWS', 'VECTORS'],
    ...restores.map((restore) => [
      restore.id,
      restore.dry_run ? 'dry run' : restore.kind,
      restore.error ?? (restore.state === 'running' ? restore.phase : restore.state),
      ago(restore.created_at, now),
      restore.backup_id ?? '-',
      grouped(restore.counts['rows_done'] ?? 0),
      grouped(restore.counts['vectors_done'] ?? 0),
    ]),
  ]);
}

/** Returns the phase of a restore and how far it came. */
export function progressText({ phase, counts }: Restore): string {
  const {
    files_total: files,
    files_done: read,
    rows_done: rows,
    vectors_total: vectors,
    vectors_done: loaded,
  } = counts;
  return [
    phase,
    ...(files === undefined ? [] : [`${grouped(read ?? 0)} of ${grouped(files)} files`]),
    ...(rows === undefined ? [] : [`${grouped(rows)} rows`]),
    ...(vectors === undefined ? [] : [`${grouped(loaded ?? 0)} of ${grouped(vectors)} vectors`]),
  ].join(', ');
}

/** Returns what the replaced database is called, and what only it contains. */
function replacedText(replaced: string, onlyThere: number | undefined): string {
  const rows = onlyThere === undefined ? '' : ` (${grouped(onlyThere)} prompts, observations and learnings)`;
  const rest = onlyThere === 0 ? '' : ` Only it contains what was added since the backup${rows}.`;
  return `The replaced database remains as ${replaced}.${rest}`;
}

/** Returns the faults of the erasure journal, one line each. */
function journalText({ faults, examples }: NonNullable<NonNullable<Restore['result']>['journal']>): string[] {
  const found = Object.entries(faults).map(([fault, count]) => `${count} ${fault}`);
  if (found.length === 0) return [];
  return [
    `The erasure journal is damaged (${found.join(', ')}): data that these entries erased may be restored. See docs/restore.md.`,
    ...examples.map((example) => `  ${terminalText(example)}`),
  ];
}

/** Returns the result of a completed restore or drill, line by line. */
export function restoreText({ backup_id: set, kind, dry_run: isDryRun, result }: Restore): string {
  if (isDryRun) return `${set ?? ''} can be restored: all files verified.\n`;
  const { tables, queries, vectors, seconds, sessions_resumed: resumed, replaced, journal, files } = result ?? {};
  const lines = [
    `${set ?? ''} restored${kind === 'drill' ? ' as a drill' : ''} in ${Math.round(seconds?.total ?? 0)} s.`,
    ...(tables === undefined ? [] : [`${grouped(tables.rows)} rows equal the backup byte for byte.`]),
    ...(queries === undefined ? [] : [`${queries.asked} fixed queries returned the recorded results.`]),
    ...(vectors === undefined
      ? []
      : [
          `${grouped(vectors.objects)} vectors loaded${vectors.pending === 0 ? '' : `, ${grouped(vectors.pending)} to embed again`}.`,
        ]),
    ...(files === undefined || files.restored === 0
      ? []
      : [`${grouped(files.restored)} files of archived sessions restored.`]),
    ...(files === undefined || files.missing === 0
      ? []
      : [`${grouped(files.missing)} files of archived sessions are missing.`]),
    ...(resumed === undefined ? [] : [`${grouped(resumed)} sessions resumed.`]),
    ...(journal === undefined || journal.erasures === 0
      ? []
      : [`${grouped(journal.erasures)} later erasures applied again.`]),
    ...(journal === undefined ? [] : journalText(journal)),
    ...(replaced === undefined ? [] : [replacedText(replaced, result?.only_replaced)]),
  ];
  return `${lines.join('\n')}\n`;
}
