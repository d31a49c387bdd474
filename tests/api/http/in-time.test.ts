import { expect, it } from 'vitest';
import { inTime } from '../../../api/memories/recall.ts';

it('answers what comes in time', async () => {
  expect(await inTime(60_000, 'late', (signal) => Promise.resolve(`aborted: ${signal.aborted}`))).toBe(
    'aborted: false',
  );
});

it('throws when it is late, aborts the work, and ignores its later failure', async () => {
  const over = Promise.withResolvers<string>();
  let received: AbortSignal | undefined;
  const answer = await inTime(5, 'late', (signal) => {
    received = signal;
    return over.promise;
  });
  expect(answer).toBe('late');
  expect(received?.aborted).toBe(true);
  over.reject(new Error('too late'));
  await expect(over.promise).rejects.toThrow('too late');
});

it('throws what fails in time', async () => {
  await expect(inTime(60_000, 'late', () => Promise.reject(new Error('unavailable')))).rejects.toThrow('unavailable');
});
