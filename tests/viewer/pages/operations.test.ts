import { describe, expect, test } from 'vitest';
import { bytesText, usdText } from '../../../viewer/parts/amounts.ts';
import { dayAt, firstMoment, numberIn, stacksOf } from '../../../viewer/pages/costs/figures.ts';
import { mayCancel, mayRetry } from '../../../viewer/pages/jobs/rights.ts';
import { joinCommand, rangeOf } from '../../../viewer/pages/people/filters.ts';
import { comparisonOf, effectsOf, offeredTabs, withPolicy } from '../../../viewer/pages/keep/views.ts';

describe('costs', () => {
  const sums = {
    calls: 1,
    cache_hits: 0,
    batch_calls: 0,
    input_tokens: 100,
    output_tokens: 10,
    tokens_cached: 0,
    tokens_cache_written: 0,
    tokens_batch: 0,
    latency_ms: null,
  };
  const group = (key: string | null, usd: number, day: string | null = null) => ({ ...sums, key, name: key, day, usd });
  const names = { all: 'All', others: 'Others', none: 'None' };

  test('are stacked by the largest groups with what remains, also for days without any', () => {
    const days = [group('2026-11-01', 3), group('2026-11-03', 1)];
    const parts = [group('big', 2, '2026-11-01'), group(null, 0.5, '2026-11-01'), group('big', 1, '2026-11-03')];
    expect([0, 1, 2].map((index) => dayAt(days, index))).toEqual(['2026-11-01', '2026-11-02', '2026-11-03']);
    expect(stacksOf(days, parts, 'usd', names)).toEqual({
      series: ['big', 'None', 'Others'],
      points: [
        { label: '11-01', values: [2, 0.5, 0.5] },
        { label: '11-02', values: [0, 0, 0] },
        { label: '11-03', values: [1, 0, 0] },
      ],
    });
    expect(stacksOf(days.slice(1), parts.slice(2), 'usd', names)).toEqual({
      series: ['big'],
      points: [{ label: '11-03', values: [1] }],
    });
    expect(stacksOf(days.slice(1), [], 'tokens', names)).toEqual({
      series: ['All'],
      points: [{ label: '11-03', values: [110] }],
    });
    expect(stacksOf([], [], 'usd', names).points).toEqual([]);
  });

  test('begin at a midnight, and take numbers from 0 on', () => {
    expect(firstMoment(7, Date.UTC(2026, 10, 25, 12))).toBe('2026-11-19T00:00:00.000Z');
    expect(['5', ' 2.5 ', '', 'x', '-1', '1e999', undefined].map(numberIn)).toEqual([
      5,
      2.5,
      ...Array.from({ length: 5 }, () => undefined),
    ]);
  });

  test.each([
    [0, '$0.00', '0 B'],
    [0.00421, '$0.0042', '0 B'],
    [-12.345, '−$12.35', '0 B'],
    [999, '$999.00', '999 B'],
    [1_234_567, '$1,234,567.00', '1.2 MB'],
  ])('shows %d as %s and %s', (value, usd, bytes) => {
    expect(usdText(value)).toBe(usd);
    expect(bytesText(Math.max(0, Math.floor(value)))).toBe(bytes);
  });
});

describe('jobs', () => {
  const user = (id: string, role: 'admin' | 'user' | 'viewer', write = true) => ({
    role,
    user: { id },
    scopes: write ? (['read', 'write'] as const) : (['read'] as const),
  });
  const job = (kind: 'session' | 'index' | 'backup', state: 'running' | 'stuck' | 'completed', owner?: string) => ({
    kind,
    state,
    session:
      owner === undefined
        ? null
        : { id: '1', user_id: owner, external_id: '1', host: 'x', title: null, project: null, status: 'x', events: 1 },
  });
  test.each([
    ['a stuck session, to its owner', job('session', 'stuck', 'a'), user('a', 'user'), true, true],
    ['a stuck session, to an admin', job('session', 'stuck', 'a'), user('b', 'admin'), true, true],
    ['a stuck session, to another user', job('session', 'stuck', 'a'), user('b', 'user'), false, false],
    ['a stuck session, without the scope', job('session', 'stuck', 'a'), user('a', 'admin', false), false, false],
    ['a running session', job('session', 'running', 'a'), user('a', 'user'), false, true],
    ['the index, to all who may write', job('index', 'stuck'), user('b', 'user'), true, false],
    ['a stuck backup', job('backup', 'stuck'), user('b', 'admin'), false, true],
    ['its own session, to a viewer', job('session', 'stuck', 'a'), user('a', 'viewer'), false, false],
    ['what is complete', job('session', 'completed', 'a'), user('a', 'admin'), false, false],
  ])('offer %s: %#', (_, given, to, retry, cancel) => {
    expect([mayRetry(given, to), mayCancel(given, to)]).toEqual([retry, cancel]);
    expect([mayRetry(given, null), mayCancel(given, undefined)]).toEqual([false, false]);
  });
});

describe('what preserves and removes data', () => {
  test('compares a restored database part by part', () => {
    const tables = { tables: 40, rows: 900, files: 2, different: ['learnings'] };
    expect(comparisonOf({ result: null })).toBeNull();
    expect(comparisonOf({ result: { tables, foreign_keys: { all: 8, invalid: 0 } } })).toEqual({
      isEqual: false,
      differentTables: ['learnings'],
      parts: [
        { part: 'tables', compared: 40, different: 1 },
        { part: 'rows', compared: 900, different: 0 },
        { part: 'files', compared: 2, different: 0 },
        { part: 'foreignKeys', compared: 8, different: 0 },
      ],
    });
    expect(comparisonOf({ result: { tables: { ...tables, different: [] } } })?.isEqual).toBe(true);
  });

  test('adds up a report by action and kind', () => {
    const count = (action: string, resource: 'prompt' | 'session', month: string, rows: number) => ({
      rule: 'default',
      action,
      resource,
      project: null,
      data_class: null,
      month,
      rows,
      bytes: 1,
    });
    expect(
      effectsOf([
        count('delete', 'prompt', '2026-01', 3),
        count('archive', 'session', '2026-01', 5),
        count('delete', 'prompt', '2026-02', 4),
      ]),
    ).toEqual([
      { action: 'delete', resource: 'prompt', rows: 7 },
      { action: 'archive', resource: 'session', rows: 5 },
    ]);
  });

  test('replaces the policy of the same subject, and offers tabs by right', () => {
    const policy = { resource: 'prompt', project: null, data_class: null, age_days: 90, action: 'delete' } as const;
    expect(withPolicy([policy, { ...policy, project: 'p' }], { ...policy, age_days: 30 })).toEqual([
      { ...policy, project: 'p' },
      { ...policy, age_days: 30 },
    ]);
    expect(offeredTabs({ isOperator: false, isAdmin: false })).toEqual(['archives', 'requests', 'transfers']);
    expect(offeredTabs({ isOperator: false, isAdmin: true })).not.toContain('backups');
    expect(offeredTabs({ isOperator: true, isAdmin: true })).toContain('backups');
  });
});

describe('people', () => {
  test('filter the log by UTC days, the last one included', () => {
    expect(rangeOf('2026-11-01', '2026-11-02')).toEqual({
      since: '2026-11-01T00:00:00.000Z',
      until: '2026-11-03T00:00:00.000Z',
    });
    expect(rangeOf('yesterday', '2026-13-45')).toEqual({ since: undefined, until: undefined });
  });
  test('are invited by a link whose token is in no request', () => {
    expect(joinCommand('https://memory.example.org/', 'rci_x')).toBe(
      "recollect join 'https://memory.example.org/#rci_x'",
    );
  });
});
