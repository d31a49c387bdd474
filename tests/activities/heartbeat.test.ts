import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withHeartbeat } from '../../activities/heartbeat.ts';

/** Every activity that beats is taken for dead after 30 s without a beat; three may be lost. */
const LATEST_MS = 10_000;

/** An activity's environment that counts heartbeats. */
function countedBeats() {
  // The SDK warns of work that fails, which some of these tests mean to do.
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  let beats = 0;
  environment.on('heartbeat', () => {
    beats += 1;
  });
  return { environment, beats: () => beats };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('heartbeats', () => {
  it('come at once and then again and again, until the work is done', async () => {
    const { environment, beats } = countedBeats();
    const running = environment.run(() => withHeartbeat(() => wait(4 * LATEST_MS)));
    await vi.advanceTimersByTimeAsync(0);
    expect(beats()).toBe(1);
    for (let n = 1; n < 4; n += 1) {
      const before = beats();
      await vi.advanceTimersByTimeAsync(LATEST_MS);
      expect(beats()).toBeGreaterThan(before);
    }
    await vi.advanceTimersByTimeAsync(LATEST_MS);
    await running;
    const atTheEnd = beats();
    await vi.advanceTimersByTimeAsync(10 * LATEST_MS);
    expect(beats()).toBe(atTheEnd);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('end with work that fails, whose error comes through', async () => {
    const { environment } = countedBeats();
    await expect(environment.run(() => withHeartbeat(() => Promise.reject(new Error('broken'))))).rejects.toThrow(
      'broken',
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('end with work that throws before it begins', async () => {
    const { environment } = countedBeats();
    const work = (): Promise<never> => {
      throw new Error('at once');
    };
    await expect(environment.run(() => withHeartbeat(work))).rejects.toThrow('at once');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('give back what the work gave', async () => {
    const { environment } = countedBeats();
    expect(await environment.run(() => withHeartbeat(() => Promise.resolve({ answer: 42 })))).toEqual({ answer: 42 });
  });
});

describe('cancellation', () => {
  it('reaches the signal, with its reason', async () => {
    const { environment } = countedBeats();
    const reasons: unknown[] = [];
    const running = environment.run(() =>
      withHeartbeat(
        (signal) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason);
              reject(signal.reason);
            });
          }),
      ),
    );
    await vi.advanceTimersByTimeAsync(0);
    environment.cancel('CANCELLED');
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    expect(reasons).toEqual([expect.any(CancelledFailure)]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not signalled before it was asked for', async () => {
    const { environment } = countedBeats();
    expect(await environment.run(() => withHeartbeat((signal) => Promise.resolve(signal.aborted)))).toBe(false);
  });
});

it('outside an activity there is nothing to beat for', async () => {
  await expect(withHeartbeat(() => Promise.resolve(1))).rejects.toThrow(/activity context/i);
});
