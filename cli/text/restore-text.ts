import { table } from '../output.ts';
import type { Restore } from '../server/operations.ts';
import { terminalText } from './terminal-text.ts';
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
      restore.backup_id ?? '-',
      (restore.counts['rows_done'] ?? 0).toLocaleString('en-US'),
      (restore.counts['vectors_done'] ?? 0).toLocaleString('en-US'),
    ]),
  ]);
}

/** What is wrong with the journal of erasures, a line each; nothing where it is whole. */
function journalText({ faults, examples }: NonNullable<NonNullable<Restore['result']>['journal']>): string[] {
  const found = Object.entries(faults).map(([fault, count]) => `${count} ${fault}`);
  if (found.length === 0) return [];
  return [
    `The journal of erasures is not whole (${found.join(', ')}): what these entries name may be here again. See docs/restore.md.`,
    ...examples.map((example) => `  ${terminalText(example)}`),
  ];
}

/** How a restore or a drill ended well, line by line. */
export function restoreText({ backup_id: set, kind, dry_run: isDryRun, result }: Restore): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  if (isDryRun) return `${set ?? ''} can be restored here: every byte of it is as it was written.\n`;
  const { tables, queries, vectors, seconds, sessions_resumed: resumed, replaced, journal, files } = result ?? {};
  const lines = [
    `${set ?? ''} ${kind === 'drill' ? 'restores' : 'is restored'}, in ${Math.round(seconds?.total ?? 0)} s.`,
    ...(tables === undefined ? [] : [`${number(tables.rows)} rows are, byte for byte, those of the set.`]),
    ...(queries === undefined ? [] : [`${queries.asked} fixed queries found what they found then.`]),
    ...(vectors === undefined
      ? []
      : [
          `${number(vectors.objects)} vectors loaded${vectors.pending === 0 ? '' : `, ${number(vectors.pending)} are made anew`}.`,
        ]),
    ...(files === undefined || files.restored === 0
      ? []
      : [`${number(files.restored)} files of archived sessions are back.`]),
    ...(files === undefined || files.missing === 0
      ? []
      : [`${number(files.missing)} files of archived sessions were found nowhere.`]),
    ...(resumed === undefined ? [] : [`${number(resumed)} sessions go on.`]),
    ...(journal === undefined || journal.erasures === 0
      ? []
      : [`${number(journal.erasures)} erasures that were asked for since were done again.`]),
    ...(journal === undefined ? [] : journalText(journal)),
    ...(replaced === undefined ? [] : [`What was here before is kept as the database ${replaced}.`]),
  ];
  return `${lines.join('\n')}\n`;
}
