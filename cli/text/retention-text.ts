import { table } from '../output.ts';
import type { z } from 'zod';
import type {
  archiveSchema,
  countSchema,
  holdSchema,
  policiesSchema,
  Policy,
  runSchema,
} from '../../contract/retention.ts';
import { terminalText } from './terminal-text.ts';
import { ago, short, sizeText } from './text-layout.ts';

type Run = z.output<typeof runSchema>;

const TEXT_CHARS = 60;

function ruleCells({ resource, project, data_class: dataClass, age_days: days, action }: Policy): string[] {
  return [resource, project ?? 'every project', dataClass ?? 'every class', `${days} d`, action];
}

/** Returns policies and defaults as a table, and whether they are approved. */
export function policiesText({ data, defaults, approved }: z.output<typeof policiesSchema>): string {
  const head = ['KIND', 'PROJECT', 'CLASS', 'AGE', 'ACTION', ''];
  const rows = [
    ...data.map((rule) => [...ruleCells(rule), '']),
    ...defaults.map((rule) => [...ruleCells(rule), 'default']),
  ];
  const notice = approved
    ? ''
    : 'Not approved: the policies delete nothing until a dry run is approved (recollect retention dry-run).\n';
  return `${table([head, ...rows])}Other resources are never deleted.\n${notice}`;
}

/** Returns the affected rows of a run by policy. */
export function reportText(run: Run, counts: readonly z.output<typeof countSchema>[]): string {
  const verb = run.mode === 'dry_run' ? 'would be removed' : 'removed';
  const head = ['KIND', 'ACTION', 'MONTH', 'CLASS', 'PROJECT', 'ROWS', 'SIZE', 'POLICY'];
  const rows = counts.map((count) => [
    count.resource,
    count.action,
    count.month,
    count.data_class ?? '-',
    count.project ?? '-',
    String(count.rows),
    sizeText(count.bytes),
    count.rule,
  ]);
  const end = `${run.rows} rows ${verb}, ${sizeText(run.bytes)}. Run ${run.id}: ${run.state}${run.error === null ? '' : ` (${run.error})`}.\n`;
  return `${rows.length === 0 ? '' : table([head, ...rows])}${end}`;
}

export function runsText(runs: readonly Run[], now: number): string {
  const head = ['RUN', 'MODE', 'STATE', 'ROWS', 'SIZE', 'BY', 'APPROVED', 'STARTED'];
  const rows = runs.map((run) => [
    run.id,
    run.mode === 'dry_run' ? 'dry run' : 'run',
    run.state,
    String(run.rows),
    sizeText(run.bytes),
    run.scheduled ? 'schedule' : 'user',
    run.approved_at === null ? '-' : ago(run.approved_at, now),
    ago(run.created_at, now),
  ]);
  return rows.length === 0 ? 'No runs.\n' : table([head, ...rows]);
}

export function legalHoldsText(legalHolds: readonly z.output<typeof holdSchema>[], now: number): string {
  const head = ['HOLD', 'ON', 'ID', 'SINCE', 'RELEASED', 'REASON'];
  const rows = legalHolds.map((hold) => [
    hold.id,
    hold.subject,
    hold.subject_id,
    ago(hold.created_at, now),
    hold.released_at === null ? '-' : ago(hold.released_at, now),
    terminalText(short(hold.reason, TEXT_CHARS)),
  ]);
  return rows.length === 0 ? 'No legal holds.\n' : table([head, ...rows]);
}

export function archivesText(archives: readonly z.output<typeof archiveSchema>[], now: number): string {
  const head = ['ARCHIVE', 'ENDED', 'ROWS', 'SIZE', 'TITLE'];
  const rows = archives.map((archive) => [
    archive.id,
    ago(archive.ended_at, now),
    String((archive.counts['prompts'] ?? 0) + (archive.counts['observations'] ?? 0)),
    sizeText(archive.bytes),
    terminalText(short(archive.title === '' ? archive.preview : archive.title, TEXT_CHARS)),
  ]);
  return rows.length === 0 ? 'No archived sessions.\n' : table([head, ...rows]);
}
