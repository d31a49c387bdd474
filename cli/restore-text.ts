import { table } from './output.ts';
import type { Restore } from './server/restores.ts';
import { ago } from './time-text.ts';

/** Restores and drills as a table, the newest first. */
export function restoreTable(restores: readonly Restore[], now: number): string {
  return table([
    ['RESTORE', 'KIND', 'STATE', 'AGE', 'SET', 'ROWS', 'VECTORS'],
    ...restores.map((restore) => [
      restore.id,
      restore.dry_run ? 'dry run' : restore.kind,
      restore.error ?? (restore.state === 'running' ? restore.phase : restore.state),
      ago(restore.created_at, now),
      restore.set ?? '-',
      (restore.counts['rows_done'] ?? 0).toLocaleString('en-US'),
      (restore.counts['vectors_done'] ?? 0).toLocaleString('en-US'),
    ]),
  ]);
}

/** How a restore or a drill ended well, line by line. */
export function restoreText({ set, kind, dry_run: isDryRun, result }: Restore): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  if (isDryRun) return `${set ?? ''} can be restored here: every byte of it is as it was written.\n`;
  const { tables, queries, vectors, seconds, sessions_resumed: resumed, replaced } = result ?? {};
  const lines = [
    `${set ?? ''} ${kind === 'drill' ? 'restores' : 'is restored'}, in ${Math.round(seconds?.total ?? 0)} s.`,
    ...(tables === undefined ? [] : [`${number(tables.rows)} rows are, byte for byte, those of the set.`]),
    ...(queries === undefined ? [] : [`${queries.asked} fixed queries found what they found then.`]),
    ...(vectors === undefined
      ? []
      : [
          `${number(vectors.objects)} vectors loaded${vectors.pending === 0 ? '' : `, ${number(vectors.pending)} are made anew`}.`,
        ]),
    ...(resumed === undefined ? [] : [`${number(resumed)} sessions go on.`]),
    ...(replaced === undefined ? [] : [`What was here before is kept as the database ${replaced}.`]),
  ];
  return `${lines.join('\n')}\n`;
}
