import { expect, test } from 'vitest';
import { createPace } from '../../activities/backup/pace.ts';

test('waits during a burst, with one poll for all readers', async () => {
  let looks = 0;
  let isBurst = true;
  const order: string[] = [];
  const pace = createPace(async () => {
    looks += 1;
    if (looks === 2) {
      order.push('calm');
      isBurst = false;
    }
    return isBurst;
  }, new AbortController().signal);
  await Promise.all([pace().then(() => order.push('first')), pace().then(() => order.push('second'))]);
  expect(order).toEqual(['calm', 'first', 'second']);
  // A recent poll is reused.
  await pace();
  expect(looks).toBe(2);
});

test('stops waiting when aborted', async () => {
  const stop = new AbortController();
  const pace = createPace(async () => {
    stop.abort();
    return true;
  }, stop.signal);
  await pace();
  expect(stop.signal.aborted).toBe(true);
});
