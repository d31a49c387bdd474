import { describe, expect, test } from 'vitest';
import type { Learning } from '../../viewer/contract/index.ts';
import { FILTERS, isListed, queryOf } from '../../viewer/pages/learnings/filters.ts';
import type { Filters } from '../../viewer/pages/learnings/filters.ts';
import { endOfDay } from '../../viewer/parts/days.ts';
import { changedRows, settledAt, withChange, withoutChange } from '../../viewer/pages/learnings/pending.ts';
import { readQuery } from '../../viewer/router/query.ts';

const learning = (id: string, more: Partial<Learning> = {}): Learning => ({
  id,
  hash: id,
  session_id: null,
  user_id: 'u',
  project: null,
  namespace: 'default',
  category: 'general',
  title: id,
  description: id,
  context: '',
  examples: [],
  tags: [],
  confidence: 1,
  visibility: 'shared',
  origin: 'user',
  use_count: 0,
  use_weight: 0,
  last_used_at: null,
  verified: false,
  verified_by: null,
  verified_at: null,
  verify_note: null,
  version: 1,
  previous_id: null,
  valid_from: '2026-01-01T00:00:00.000Z',
  valid_to: null,
  superseded_by: null,
  reason: null,
  closed_by: null,
  reopen_reason: null,
  disputes: null,
  evidence: [],
  created_at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const filters = (search: string): Filters => readQuery(FILTERS, search);
const CLOSED = '2026-02-01T00:00:00.000Z';

describe('filters of learnings', () => {
  test.each([
    ['', { verified: false, include_closed: undefined }],
    ['?state=verified', { verified: true, include_closed: undefined }],
    ['?state=current', { verified: undefined, include_closed: undefined }],
    ['?state=all', { verified: undefined, include_closed: true }],
    ['?state=all&as_of=2026-01-31', { include_closed: undefined, as_of: expect.stringMatching(/Z$/) as string }],
    ['?as_of=tomorrow', { as_of: undefined }],
  ])('of the address %j are a query of the API', (search, query) => {
    expect(queryOf(filters(search))).toMatchObject(query);
  });

  test('include all of a day, in local time', () => {
    expect(new Date(endOfDay('2026-01-31') ?? 0).getDate()).toBe(31);
    expect(endOfDay('2026-13-41')).toBeUndefined();
  });

  test.each([
    ['', {}, true],
    ['', { verified: true }, false],
    ['', { valid_to: CLOSED }, false],
    ['?state=verified', {}, false],
    ['?state=current', { verified: true }, true],
    ['?state=current', { valid_to: CLOSED }, false],
    ['?state=all', { valid_to: CLOSED }, true],
    ['?state=all&visibility=shared', { visibility: 'private' as const }, false],
    ['?as_of=2026-01-31', { valid_to: CLOSED }, true],
  ])('of the address %j list a learning with %j: %s', (search, change, isIn) => {
    expect(isListed(learning('a', change), filters(search))).toBe(isIn);
  });
});

describe('changes that the server did not answer yet', () => {
  const rows = [learning('a'), learning('b')];
  const listed = (readAt: number, changes: ReturnType<typeof withChange>) =>
    changedRows(
      rows,
      changes,
      () => readAt,
      (changed) => isListed(changed, filters('')),
    ).map(({ id }) => id);
  const running = withChange(new Map(), ['a'], { verified: true });

  test('apply to every answer until they are settled, then to older answers only', () => {
    expect(listed(1_000, running)).toEqual(['b']);
    const settled = settledAt(running, ['a'], 2_000);
    expect(listed(1_999, settled)).toEqual(['b']);
    expect(listed(2_001, settled)).toEqual(['a', 'b']);
  });

  test('disappear after a rejection', () => {
    expect(listed(1_000, withoutChange(running, ['a']))).toEqual(['a', 'b']);
  });
});
