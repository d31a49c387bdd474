import { table } from '../output.ts';
import type { Restore } from '../server/operations.ts';
import { terminalText } from './terminal-text.ts';
import { ago } from './time-text.ts';

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
      (restore.counts['rows_done'] ?? 0).toLocaleString('en-US'),
      (restore.counts['vectors_done'] ?? 0).toLocaleString('en-US'),
    ]),
  ]);
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
  const number = (value: number): string => value.toLocaleString('en-US');
  if (isDryRun) return `${set ?? ''} can be restored: all files verified.\n`;
  const { tables, queries, vectors, seconds, sessions_resumed: resumed, replaced, journal, files } = result ?? {};
  const lines = [
    `${set ?? ''} restored${kind === 'drill' ? ' as a drill' : ''} in ${Math.round(seconds?.total ?? 0)} s.`,
    ...(tables === undefined ? [] : [`${number(tables.rows)} rows equal the backup byte for byte.`]),
    ...(queries === undefined ? [] : [`${queries.asked} fixed queries returned the recorded results.`]),
    ...(vectors === undefined
      ? []
      : [
          `${number(vectors.objects)} vectors loaded${vectors.pending === 0 ? '' : `, ${number(vectors.pending)} to embed again`}.`,
        ]),
    ...(files === undefined || files.restored === 0
      ? []
      : [`${number(files.restored)} files of archived sessions restored.`]),
    ...(files === undefined || files.missing === 0
      ? []
      : [`${number(files.missing)} files of archived sessions are missing.`]),
    ...(resumed === undefined ? [] : [`${number(resumed)} sessions resumed.`]),
    ...(journal === undefined || journal.erasures === 0
      ? []
      : [`${number(journal.erasures)} later erasures applied again.`]),
    ...(journal === undefined ? [] : journalText(journal)),
    ...(replaced === undefined ? [] : [`The replaced database remains as ${replaced}.`]),
  ];
  return `${lines.join('\n')}\n`;
}
