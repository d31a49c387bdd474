import { describe, expect, test } from 'vitest';
import { randomFrom } from '../domain/support/random.ts';
import { countsIn, CounterSums } from './counters.ts';
import { killPlan } from './kills.ts';
import { memorySlopes, slopeOf } from './memory.ts';
import { loadOptions } from './options.ts';
import { lossOf } from './outcome.ts';
import { boundsOf, stagesOf, targetAt } from './stages.ts';
import { atLeastShare, atMost } from './thresholds.ts';

describe('options', () => {
  test('have defaults, and a seed if one is given', () => {
    expect(loadOptions([])).toEqual({ minutes: 30, sessions: 6 });
    expect(loadOptions(['--minutes', '3', '--sessions=2', '--seed', '7'])).toEqual({
      minutes: 3,
      sessions: 2,
      seed: 7,
    });
  });

  test.each([
    [['--minutes', '0'], /^--minutes must be an integer from 1 to 240$/],
    [['--minutes', '241'], /^--minutes must be an integer from 1 to 240$/],
    [['--minutes', '1.5'], /^--minutes must/],
    [['--sessions', '65'], /^--sessions must be an integer from 1 to 64$/],
    [['--seed', '9999999999'], /^--seed must/],
    [['--users', '3'], /--users/],
  ])('are rejected by name: %s', (words, message) => {
    expect(() => loadOptions(words)).toThrow(message);
  });
});

test('the number of sessions rises, stays, and falls to none', () => {
  const stages = stagesOf(100, 10);
  expect([0, 5, 10, 50, 89, 95, 100, 500].map((at) => targetAt(stages, at))).toEqual([0, 5, 10, 10, 10, 5, 0, 0]);
  expect(boundsOf(stages, 'steady')).toEqual({ fromMs: 50, toMs: 90 });
});

test('each process is killed twice, in an order and at moments that the seed decides', () => {
  const plan = (seed: number) => killPlan(['a', 'b', 'c'], { fromMs: 600, toMs: 1_200 }, randomFrom(seed));
  expect(
    plan(1)
      .map(({ service }) => service)
      .toSorted(),
  ).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  expect(plan(1)).toEqual(plan(1));
  const orders = [1, 2, 3, 4].map((seed) =>
    plan(seed)
      .map(({ service }) => service)
      .join(''),
  );
  expect(new Set(orders).size).toBeGreaterThan(1);
  for (const [n, { atMs }] of plan(3).entries()) {
    expect(atMs).toBeGreaterThanOrEqual(600 + n * 100);
    expect(atMs).toBeLessThan(650 + n * 100);
  }
});

describe('counters', () => {
  const scrape = (requests: number, failures: number) => `
recollect_http_requests_total{group="hooks",status="2xx"} ${requests - failures}
recollect_http_requests_total{group="hooks",status="5xx"} ${failures}
recollect_http_requests_total{group="search",status="5xx"} 90
recollect_capture_duration_seconds_bucket{le="0.05"} 1
recollect_capture_duration_seconds_bucket{le="0.1"} ${requests - 1}
recollect_capture_duration_seconds_count ${requests}
recollect_http_request_duration_seconds_bucket{le="0.3",group="search"} 4
recollect_http_request_duration_seconds_bucket{le="0.3",group="feed"} 40
recollect_http_request_duration_seconds_count{group="search"} 5
`;

  test('are those of the objectives', () => {
    expect(countsIn(scrape(10, 2))).toEqual({
      captureRequests: 10,
      captureFailures: 2,
      captures: 10,
      capturesInTime: 9,
      searches: 5,
      searchesInTime: 4,
    });
  });

  test('are summed over restarts, apart in outages, from the first read on', () => {
    const sums = new CounterSums();
    sums.add(countsIn(scrape(10, 2)));
    sums.add(countsIn(scrape(13, 2)));
    sums.setOutage(true);
    // A new process.
    sums.add(countsIn(scrape(6, 4)));
    sums.setOutage(false);
    sums.add(countsIn(scrape(7, 4)));
    expect(sums.outside).toMatchObject({ captureRequests: 4, captureFailures: 0 });
    expect(sums.outages).toMatchObject({ captureRequests: 6, captureFailures: 4, searches: 5 });
    expect(sums.all).toMatchObject({ captureRequests: 10, captureFailures: 4 });
  });
});

test('the slope of memory is that of a line, in percent of the mean per ten minutes', () => {
  const minute = 60_000;
  const points = [99, 101, 99, 101, 100].map((value, n) => ({ atMs: n * minute, value }));
  expect(slopeOf(points.map(({ atMs }) => ({ atMs, value: 200 + (atMs / minute) * 2 })))).toBeCloseTo((20 / 204) * 100);
  expect(Math.abs(slopeOf(points))).toBeLessThan(5);
  expect(slopeOf(points.slice(0, 1))).toBeNaN();
  const samples = [0, 5, 10].map((n) => ({
    atMs: n * minute,
    mib: new Map([
      ['api', 100 - n],
      ['worker', 50],
    ]),
  }));
  expect(memorySlopes(samples)).toEqual({
    api: { mib: 95, slope_percent: -10.53 },
    worker: { mib: 50, slope_percent: 0 },
  });
});

test('rows are lost, unexpected or in another order', () => {
  const of = (wanted: string[], stored: string[]) => lossOf([{ wanted, stored }]);
  expect(of(['a', 'b', 'b'], ['a', 'b', 'b'])).toEqual({ rows: 3, lost: 0, unexpected: 0, out_of_order: 0 });
  expect(of(['a', 'b', 'b'], ['a', 'b'])).toMatchObject({ lost: 1, unexpected: 0, out_of_order: 0 });
  expect(of(['a', 'b'], ['a', 'b', 'b', 'c'])).toMatchObject({ lost: 0, unexpected: 2 });
  expect(of(['a', 'b'], ['b', 'a'])).toMatchObject({ lost: 0, unexpected: 0, out_of_order: 1 });
});

test('a threshold is met, missed, or not judged; nothing measured is missed', () => {
  expect(atLeastShare('x', 99, 100, 0.99)).toEqual({ name: 'x', limit: '>= 0.99', value: 0.99, ok: true });
  expect(atLeastShare('x', 98, 100, 0.99).ok).toBe(false);
  expect(atLeastShare('x', 0, 0, 0.99)).toMatchObject({ value: null, ok: false });
  expect(atMost('x', 1, 1).ok).toBe(true);
  expect(atMost('x', 1.1, 1).ok).toBe(false);
  expect(atMost('x', 5, 1, false).ok).toBeNull();
});
