import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { reportProgress, resumeWithHeartbeat, withHeartbeat } from '../../activities/heartbeat.ts';

/** Between two heartbeats. */
const INTERVAL_MS = 2_000;
/** The shortest heartbeat timeout of an activity is 10 s. */
const TIMEOUT_MS = 10_000;
/** Longer than any single call may report nothing. */
const HUNG_MS = 12 * 60_000;

/** An activity environment that counts heartbeats. */
function countedHeartbeats(heartbeatDetails?: unknown) {
  // The SDK warns of work that fails, which some of these tests cause.
  const environment = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
  const details: unknown[] = [];
  environment.on('heartbeat', (sent: unknown) => details.push(sent));
  return { environment, details, count: () => details.length };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(globalThis, 'setInterval');
  vi.spyOn(globalThis, 'clearInterval');
});
afterEach(() => {
  // Not all timers: what other files of this process left behind may set some.
  const { calls, results } = vi.mocked(setInterval).mock;
  const cleared = new Set(vi.mocked(clearInterval).mock.calls.map(([timer]) => timer));
  const left = results.filter(({ value }, n) => calls[n]?.[1] === INTERVAL_MS && !cleared.has(value));
  vi.restoreAllMocks();
  vi.useRealTimers();
  if (left.length > 0) throw new Error('a heartbeat timer is left');
});

describe('heartbeats', () => {
  it('are sent at once and within every heartbeat timeout until the work ends', async () => {
    const { environment, count } = countedHeartbeats();
    const running = environment.run(() => withHeartbeat(() => wait(4 * TIMEOUT_MS)));
    await vi.advanceTimersByTimeAsync(0);
    expect(count()).toBe(1);
    expect(setInterval).toHaveBeenCalledWith(expect.any(Function), INTERVAL_MS);
    for (let n = 1; n < 4; n += 1) {
      const before = count();
      await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
      expect(count()).toBeGreaterThan(before);
    }
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    await running;
    const atEnd = count();
    await vi.advanceTimersByTimeAsync(10 * TIMEOUT_MS);
    expect(count()).toBe(atEnd);
  });

  it.each([
    ['end for work that reports no progress', false],
    ['go on for work that reports progress', true],
  ])('%s', async (_, reports) => {
    const { environment, count } = countedHeartbeats();
    const running = environment.run(() =>
      withHeartbeat(async () => {
        for (let n = 0; n < 4; n += 1) {
          await wait(HUNG_MS / 2);
          if (reports) reportProgress();
        }
      }),
    );
    await vi.advanceTimersByTimeAsync(HUNG_MS);
    const before = count();
    await vi.advanceTimersByTimeAsync(HUNG_MS / 2);
    expect(count() > before).toBe(reports);
    await vi.advanceTimersByTimeAsync(HUNG_MS);
    await running;
  });

  it.each([
    ['work that rejects', () => Promise.reject(new Error('broken'))],
    [
      'work that throws',
      () => {
        throw new Error('broken');
      },
    ],
  ])('end with %s, whose error is thrown', async (_, work) => {
    await expect(countedHeartbeats().environment.run(() => withHeartbeat(work))).rejects.toThrow('broken');
  });

  it('do not change the result', async () => {
    const { environment } = countedHeartbeats();
    expect(await environment.run(() => withHeartbeat(() => Promise.resolve({ answer: 42 })))).toEqual({ answer: 42 });
  });
});

describe('details', () => {
  const schema = z.object({ after: z.number() });

  it.each([
    ['the previous attempt', { after: 7 }, 7],
    ['the start without details', undefined, 0],
    ['the start after details of another build', { page: 'x' }, 0],
  ])('resume from %s and are sent with progress', async (_, before, from) => {
    const { environment, details } = countedHeartbeats(before);
    const work = async (resumed: { after: number }, report: (reached: { after: number }) => void) => {
      report({ after: resumed.after + 1 });
      await wait(TIMEOUT_MS);
    };
    const running = environment.run(() =>
      resumeWithHeartbeat(schema, { after: 0 }, (_signal, resumed, report) => work(resumed, report)),
    );
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    await running;
    expect(details[0]).toEqual({ after: from });
    expect(details.at(-1)).toEqual({ after: from + 1 });
  });
});

describe('cancellation', () => {
  it('aborts the signal with its reason', async () => {
    const { environment } = countedHeartbeats();
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
  });

  it('leaves the signal alone before it is requested', async () => {
    const { environment } = countedHeartbeats();
    expect(await environment.run(() => withHeartbeat((signal) => Promise.resolve(signal.aborted)))).toBe(false);
  });

  it('ends work at its next progress report', () => {
    expect(() => reportProgress(AbortSignal.abort(new CancelledFailure('stop')))).toThrow(CancelledFailure);
  });
});

it('fails outside an activity', async () => {
  await expect(withHeartbeat(() => Promise.resolve(1))).rejects.toThrow(/activity context/i);
});
