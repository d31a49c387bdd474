import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BurstDetector } from '../../../api/intake/burst-detector.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Counts events, one each so many milliseconds. */
async function events(gauge: BurstDetector, count: number, everyMs: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    gauge.count();
    await vi.advanceTimersByTimeAsync(everyMs);
  }
}

it('sees no burst in the events of a busy agent', async () => {
  const flags: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => flags.push(isBurst));
  await events(gauge, 200, 20);
  for (let n = 0; n < 8; n += 1) gauge.count();
  expect(gauge.isBurst).toBe(false);
  expect(flags).toEqual([]);
});

it('reports once when a burst starts, and once when it ends', async () => {
  const flags: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => flags.push(isBurst));
  await events(gauge, 1_000, 2);
  expect(gauge.isBurst).toBe(true);
  expect(flags).toEqual([true]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(gauge.isBurst).toBe(false);
  expect(flags).toEqual([true, false]);
  expect(vi.getTimerCount()).toBe(0);
});

it('sees one burst in batches that come half a second apart', async () => {
  const flags: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => flags.push(isBurst));
  for (let batch = 0; batch < 5; batch += 1) {
    for (let n = 0; n < 500; n += 1) gauge.count();
    await vi.advanceTimersByTimeAsync(500);
    expect(gauge.isBurst).toBe(true);
  }
  expect(flags).toEqual([true]);
  gauge.stop();
});

it('reports the end of the burst when it is stopped', async () => {
  const flags: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => flags.push(isBurst));
  gauge.stop();
  await events(gauge, 100, 1);
  gauge.stop();
  gauge.stop();
  expect(flags).toEqual([true, false]);
  expect(vi.getTimerCount()).toBe(0);
});
