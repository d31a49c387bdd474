import { table } from '../output.ts';
import { grouped } from '../text/text-layout.ts';
import type { ImportCounts, ImportFiles } from './import-api.ts';

const BAR_CHARS = 24;

/** Returns a bar for a share of at most 1: `[######------------------]`. */
export function progressBar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_CHARS);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}]`;
}

/** Returns the progress of an import: `[######------] 12 of 40 files, 3,210 lines, 87 added`. */
export function progressLine(files: ImportFiles, counts: ImportCounts): string {
  const settled = files.done + files.unchanged + files.waiting + files.unreadable;
  return `${progressBar(files.total === 0 ? 0 : settled / files.total)} ${grouped(settled)} of ${grouped(files.total)} files, ${grouped(counts.lines)} lines, ${grouped(counts.added)} added`;
}

/** Returns the result of an import as a table: files, events, and skipped lines by reason. */
export function summaryText(files: ImportFiles, counts: ImportCounts): string {
  const rows: readonly (readonly [string, number, string])[] = [
    ['files', files.total, ''],
    ['  read', files.done, ''],
    ['  unchanged', files.unchanged, 'read before'],
    ['  waiting', files.waiting, 'still being written; read at the next import'],
    ['  unreadable', files.unreadable, ''],
    ['lines', counts.lines, ''],
    ['added', counts.added, 'events that hooks had missed'],
    ['present', counts.present, ''],
    ['late duplicates', counts.late_duplicates, 'removed: a hook arrived after its transcript was read'],
    ['rejected', counts.refused, 'forgotten, deleted, or capture disabled'],
    ['skipped', counts.truncated + counts.repeated + counts.unknown_type + counts.not_json + counts.too_large, ''],
    ['  repeated', counts.repeated, 'copies from resumed sessions'],
    ['  truncated', counts.truncated, ''],
    ['  unknown type', counts.unknown_type, ''],
    ['  not JSON', counts.not_json, ''],
    ['  too large', counts.too_large, 'over 32 MiB'],
  ];
  const always = new Set(['files', 'lines', 'added', 'present', 'skipped']);
  const shown = rows.filter(([name, value]) => value > 0 || always.has(name));
  const width = Math.max(...shown.map(([, value]) => grouped(value).length));
  return table(shown.map(([name, value, note]) => [`  ${name}`, grouped(value).padStart(width), note]));
}
