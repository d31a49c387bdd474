import { table } from '../output.ts';
import type { Schedule } from '../server/operations.ts';
import { ago, short } from './time-text.ts';

const RESULT_CHARS = 60;

/** Numbers of a result that are not 0, in one line. */
function resultText(last: Schedule['last_runs'][number] | undefined): string {
  if (last === undefined) return '-';
  if (last.error !== null) return last.error;
  const told = Object.entries(last.result ?? {}).flatMap(([name, value]) =>
    typeof value === 'number' && value !== 0 ? [`${name} ${value}`] : [],
  );
  return short(told.join(', '), RESULT_CHARS) || '-';
}

/** One line a schedule, and below why those stand that are paused. */
export function scheduleTable(schedules: readonly Schedule[], now: number): string {
  const head = ['SCHEDULE', 'STATE', 'NEXT (UTC)', 'LAST', 'ENDED', 'RESULT', 'DOES'];
  const rows = schedules.map(({ name, state, next_runs: next, last_runs: [last], description }) => [
    name,
    state,
    next[0]?.slice(0, 16).replace('T', ' ') ?? '-',
    last === undefined ? '-' : ago(last.started_at, now),
    last?.state ?? '-',
    resultText(last),
    description,
  ]);
  const paused = schedules.flatMap(({ name, pause_reason: reason }) =>
    reason === null ? [] : [`${name}: ${reason}\n`],
  );
  return `${table([head, ...rows])}${paused.length === 0 ? '' : `\nPaused:\n${paused.join('')}`}`;
}
