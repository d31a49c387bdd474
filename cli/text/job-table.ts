import type { JobAnswer } from '../../contract/jobs.ts';
import { table } from '../output.ts';
import { ago, short } from './text-layout.ts';

const TITLE_CHARS = 40;

function pendingOf({ summarise, learn, embed }: JobAnswer['pending']): string {
  const parts = [
    summarise > 0 ? `${summarise} to summarise` : '',
    learn > 0 ? 'learnings' : '',
    embed > 0 ? `${embed} vectors` : '',
  ].filter((part) => part !== '');
  return parts.join(', ') || '-';
}

function waitsFor(job: JobAnswer): string {
  return job.stuck === null ? (job.waiting_reason ?? '-') : job.stuck.reason;
}

/** Returns sessions as a table: phase, pending work and wait reason. */
export function sessionTable(jobs: readonly JobAnswer[], now: number): string {
  const head = [
    'SESSION',
    'PROJECT',
    'STATUS',
    'PHASE',
    'EVENTS',
    'PENDING',
    'WAITS FOR',
    'CHANGED',
    'LAST ERROR',
    'TITLE',
  ];
  const rows = jobs.flatMap((job) =>
    job.session === null
      ? []
      : [
          [
            job.session.id,
            short(job.session.project ?? '-', TITLE_CHARS),
            job.state === 'stuck' ? 'stuck' : job.session.status,
            job.phase ?? '-',
            String(job.session.events),
            pendingOf(job.pending),
            waitsFor(job),
            ago(job.updated_at, now),
            job.last_error ?? '-',
            short(job.session.title ?? '-', TITLE_CHARS),
          ],
        ],
  );
  return table([head, ...rows]);
}

/** Returns jobs as a table. */
export function jobTable(jobs: readonly JobAnswer[], now: number): string {
  const head = ['JOB', 'STATE', 'PHASE', 'PENDING', 'WAITS FOR', 'ATTEMPTS', 'CHANGED', 'LAST ERROR', 'OF'];
  const rows = jobs.map((job) => [
    job.id,
    job.state,
    job.phase ?? '-',
    pendingOf(job.pending),
    waitsFor(job),
    String(job.attempts),
    ago(job.updated_at, now),
    job.last_error ?? '-',
    short(job.session?.title ?? job.session?.external_id ?? '-', TITLE_CHARS),
  ]);
  return table([head, ...rows]);
}

/** Returns cause and remedy of each stuck job, for below the table. */
export function stuckText(jobs: readonly JobAnswer[]): string {
  const stuck = jobs.flatMap((job) =>
    job.stuck === null ? [] : [`${job.id}\n  ${job.stuck.why}\n  ${job.stuck.advice}\n`],
  );
  return stuck.length === 0 ? '' : `\n${stuck.join('')}`;
}
