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

it('sees no flood in what a busy agent sends', async () => {
  const told: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => told.push(isBurst));
  await events(gauge, 200, 20);
  for (let n = 0; n < 8; n += 1) gauge.count();
  expect(gauge.isBurst).toBe(false);
  expect(told).toEqual([]);
});

it('tells once when a flood begins, and once when it is over', async () => {
  const told: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => told.push(isBurst));
  await events(gauge, 1_000, 2);
  expect(gauge.isBurst).toBe(true);
  expect(told).toEqual([true]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(gauge.isBurst).toBe(false);
  expect(told).toEqual([true, false]);
  expect(vi.getTimerCount()).toBe(0);
});

it('sees one flood in batches that come half a second apart', async () => {
  const told: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => told.push(isBurst));
  for (let batch = 0; batch < 5; batch += 1) {
    for (let n = 0; n < 500; n += 1) gauge.count();
    await vi.advanceTimersByTimeAsync(500);
    expect(gauge.isBurst).toBe(true);
  }
  expect(told).toEqual([true]);
  gauge.stop();
});

it('says that it is over when it is stopped', async () => {
  const told: boolean[] = [];
  const gauge = new BurstDetector((isBurst) => told.push(isBurst));
  gauge.stop();
  await events(gauge, 100, 1);
  gauge.stop();
  gauge.stop();
  expect(told).toEqual([true, false]);
  expect(vi.getTimerCount()).toBe(0);
});
