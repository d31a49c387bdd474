import { expect, test } from 'vitest';
import { FILTERS, daysOf, endOf, keyOf, rangeAround } from '../../viewer/pages/timeline/feed.ts';
import { addressOfMemory } from '../../viewer/parts/places.ts';
import { readQuery } from '../../viewer/router/query.ts';

const item = (id: string, type: 'session' | 'prompt' | 'summary' | 'learning' = 'prompt', kind = 'user') => ({
  id,
  type,
  kind,
  title: '',
  preview: '',
  tool: null,
  level: 'info' as const,
  session: type === 'learning' ? null : { id: 's', title: null },
  project: null,
  occurred_at: '2026-11-25T10:00:00Z',
});

test('names the start and the end of a session differently, and the place of each item', () => {
  const start = item('s', 'session', 'started');
  expect(keyOf(start)).not.toBe(keyOf(item('s', 'session', 'ended')));
  expect([start, item('p'), item('u', 'summary'), item('l', 'learning')].map(addressOfMemory)).toEqual([
    '/sessions/s',
    '/sessions/s?row=p',
    '/sessions/s?tab=understood',
    '/learnings/l',
  ]);
});

test.each([
  ['?day=2026-02-28', '2026-02-28', '2026-03-01T00:00:00.000Z'],
  ['?day=2026-02-31', undefined, undefined],
  ['?day=yesterday', undefined, undefined],
  ['', undefined, undefined],
])('reads the day of the address %s', (search, day, end) => {
  expect(readQuery(FILTERS, search).day).toBe(day);
  expect(endOf(day)).toBe(end);
});

const now = Date.parse('2026-11-25T15:00:00Z');

test.each([
  ['the last 90 days', undefined, '2026-08-28', '2026-11-25'],
  ['the same for a recent day', '2026-11-01', '2026-08-28', '2026-11-25'],
  ['the days around an older day', '2026-01-31', '2025-12-18', '2026-03-17'],
])('shows %s in the strip, with days without items', (_, day, first, last) => {
  const range = rangeAround(day, now);
  const days = daysOf({
    ...range,
    data: [{ at: range.since, total: 3, capped: false, counts: { prompt: 3 } }],
  });
  expect(days).toHaveLength(90);
  expect(days[0]).toEqual({ day: first, total: 3 });
  expect(days.at(-1)).toEqual({ day: last, total: 0 });
});
