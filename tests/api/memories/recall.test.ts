import { describe, expect, it } from 'vitest';
import { createPlaces, inTime } from '../../../api/memories/recall.ts';

describe('inTime', () => {
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
});

describe('createPlaces', () => {
  it('runs as much at once as there are places, and what comes beyond them not at all', async () => {
    const run = createPlaces({ most: 2, isBusy: () => false });
    const gate = Promise.withResolvers<string>();
    const first = run('no', () => gate.promise);
    const second = run('no', () => gate.promise);
    expect(await run('no', () => Promise.resolve('third'))).toBe('no');
    gate.resolve('completed');
    expect(await Promise.all([first, second])).toEqual(['completed', 'completed']);
    expect(await run('no', () => Promise.resolve('fourth'))).toBe('fourth');
  });

  it('gives a place back that failed', async () => {
    const run = createPlaces({ most: 1, isBusy: () => false });
    await expect(run('no', () => Promise.reject(new Error('unavailable')))).rejects.toThrow('unavailable');
    expect(await run('no', () => Promise.resolve('yes'))).toBe('yes');
  });

  it('runs nothing while something else goes first', async () => {
    let busy = true;
    const run = createPlaces({ most: 1, isBusy: () => busy });
    expect(await run('no', () => Promise.resolve('yes'))).toBe('no');
    busy = false;
    expect(await run('no', () => Promise.resolve('yes'))).toBe('yes');
  });
});
