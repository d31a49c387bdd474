import { table } from '../output.ts';
import type { Schedule } from '../server/operations.ts';
import { ago, short } from './time-text.ts';

const RESULT_CHARS = 60;

/** Returns the non-zero numbers of a result in one line. */
function resultText(last: Schedule['last_runs'][number] | undefined): string {
  if (last === undefined) return '-';
  if (last.error !== null) return last.error;
  const counts = Object.entries(last.result ?? {}).flatMap(([name, value]) =>
    typeof value === 'number' && value !== 0 ? [`${name} ${value}`] : [],
  );
  return short(counts.join(', '), RESULT_CHARS) || '-';
}

/** Returns schedules as a table, then the reasons of paused ones. */
export function scheduleTable(schedules: readonly Schedule[], now: number): string {
  const head = ['SCHEDULE', 'STATE', 'NEXT (UTC)', 'LAST', 'ENDED', 'RESULT', 'DESCRIPTION'];
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
