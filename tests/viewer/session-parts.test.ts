import { describe, expect, test } from 'vitest';
import { limiting, partOf, readable, withLatest, withPage } from '../../viewer/pages/session/parts.ts';
import type { Part, Positioned } from '../../viewer/pages/session/parts.ts';

const rowsOf = (...seqs: readonly number[]): Positioned[] => seqs.map((seq) => ({ seq }));
const part = (seqs: readonly number[], before: string | null, after: string | null): Part<Positioned> => ({
  rows: rowsOf(...seqs),
  total: 100,
  before,
  after,
});
const seqsOf = (parts: readonly Part<Positioned>[]): number[] => readable(parts).map(({ seq }) => seq);

describe('rows of several kinds', () => {
  test.each([
    ['complete parts', [part([1, 4], null, null), part([2, 3, 9], null, null)], [1, 2, 3, 4, 9]],
    ['a part that ends before', [part([1, 4], null, 'more'), part([2, 3, 9], null, null)], [1, 2, 3, 4]],
    ['a part that starts later', [part([1, 4, 30], null, null), part([20, 25], 'less', null)], [20, 25, 30]],
    ['parts without a common range', [part([1, 4], null, 'more'), part([20, 25], 'less', null)], []],
    ['an empty part', [part([], null, null), part([2, 3], null, 'more')], [2, 3]],
    ['one part', [part([7, 8], 'less', 'more')], [7, 8]],
  ])('come in order without a gap: %s', (_, parts, seqs) => {
    expect(seqsOf(parts)).toEqual(seqs);
  });

  test('are read further in the part that ends first, until all are complete', () => {
    const messages = part([10, 40], 'm-', 'm+');
    const tools = part([20, 21, 22], 't-', 't+');
    expect(limiting([messages, tools], 'after')).toEqual([false, true]);
    expect(limiting([messages, tools], 'before')).toEqual([false, true]);
    const more = withPage(tools, part([22, 23, 50], 'x', null), 'after');
    expect(more).toEqual(part([20, 21, 22, 23, 50], 't-', null));
    const uncounted = { ...part([22, 23, 50], 'x', null), total: null };
    expect(withPage(tools, uncounted, 'after')).toEqual(more);
    expect(seqsOf([messages, more])).toEqual([20, 21, 22, 23, 40]);
    expect(limiting([messages, more], 'after')).toEqual([true, false]);
    const all = withPage(messages, part([1, 5], null, 'x'), 'before');
    expect(all.before).toBeNull();
    expect(limiting([{ ...all, after: null }, more], 'after')).toEqual([false, false]);
  });

  test('get the later ones of a page around the last row, once', () => {
    const read = part([60, 70], 'b', null);
    const page = partOf({
      data: rowsOf(30, 60, 70, 80),
      pagination: { total: 101, next_cursor: 'n', prev_cursor: 'p' },
    });
    expect(withLatest(read, page)).toEqual({ ...part([60, 70, 80], 'b', 'n'), total: 101 });
  });

  test('are joined in time that grows with their number, for a session of 100,000 rows', () => {
    const pageOf = (first: number): Part<Positioned> =>
      part(
        Array.from({ length: 100 }, (_, index) => first + 2 * index),
        null,
        'more',
      );
    const start = performance.now();
    let messages = pageOf(0);
    for (let first = 200; first < 100_000; first += 200) messages = withPage(messages, pageOf(first), 'after');
    const tools = { ...messages, rows: messages.rows.map(({ seq }) => ({ seq: seq + 1 })) };
    expect(readable([messages, tools])).toHaveLength(99_999);
    // Each page sorted anew took some 20 s.
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});
