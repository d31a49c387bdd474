import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { waitForNextDay } from '../../../domain/costs/limits.ts';

test('the wait ends after the day does, within five minutes, always the same for a session', () => {
  for (let n = 0; n < 100; n += 1) {
    const session = randomUUID();
    const waitMs = waitForNextDay(3_600_000, session);
    expect(waitMs).toBeGreaterThanOrEqual(3_600_000);
    expect(waitMs).toBeLessThan(3_900_000);
    expect(waitForNextDay(3_600_000, session)).toBe(waitMs);
  }
});

test('sessions do not all come at once', () => {
  const minutes = new Set(Array.from({ length: 100 }, () => Math.floor(waitForNextDay(0, randomUUID()) / 60_000)));
  expect(minutes.size).toBe(5);
});

test('a day that is over already is not waited for', () => {
  expect(waitForNextDay(-5_000, '')).toBe(0);
});
