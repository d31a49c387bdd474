import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { createActivityInterceptor } from '../../activities/interceptor.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';

/** Runs an activity of this type behind the interceptor. */
function intercepted<Result>(
  activity: () => Promise<Result>,
  activityType = 'settle',
  isBurst: () => Promise<boolean> = () => Promise.resolve(false),
  isLocal = false,
): Promise<Result> {
  const environment = new MockActivityEnvironment(
    { activityType, isLocal },
    // The SDK warns of activities that fail, which these tests cause.
    { interceptors: [createActivityInterceptor(isBurst)], logger: new DefaultLogger('ERROR') },
  );
  return environment.run<[], Result, () => Promise<Result>>(activity);
}

describe('typed failures', () => {
  it('returns the result of an activity that succeeds', async () => {
    expect(await intercepted(() => Promise.resolve(2))).toBe(2);
  });

  it.each([
    ['a rejection', () => Promise.reject(new EmbedderUnavailable('x')), 'EmbedderUnavailable'],
    [
      'an error thrown before there is a promise',
      () => {
        throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
      },
      'DatabaseUnavailable',
    ],
  ])('maps %s to a failure type', async (_, activity, type) => {
    await expect(intercepted(activity)).rejects.toMatchObject({ name: 'ApplicationFailure', type });
  });

  it.each([
    ['a typed failure', ApplicationFailure.nonRetryable('mine', 'Mine')],
    ['a cancellation', new CancelledFailure('stop')],
    ['an AbortError of the activity’s signal', new DOMException('aborted', 'AbortError')],
  ])('passes %s unchanged', async (_, thrown) => {
    await expect(intercepted(() => Promise.reject(thrown))).rejects.toBe(thrown);
  });
});

describe('back-pressure', () => {
  it.each([
    ['consumeEvents', true],
    ['summariseWindows', true],
    ['summariseSession', true],
    ['embedBatch', true],
    ['settle', false],
  ])('defers %s during a burst: %s', async (activityType, isDeferred) => {
    let polls = 0;
    const pollsAtStart = await intercepted(
      () => Promise.resolve(polls),
      activityType,
      () => Promise.resolve((polls += 1) < 3),
    );
    expect(pollsAtStart).toBe(isDeferred ? 3 : 0);
  });

  it('does not wait within a workflow task, but fails', async () => {
    const step = () => Promise.resolve('done');
    const isBurst = () => Promise.resolve(true);
    await expect(intercepted(step, 'consumeEvents', isBurst, true)).rejects.toMatchObject({ type: 'Deferred' });
    expect(await intercepted(step, 'settle', isBurst, true)).toBe('done');
    expect(await intercepted(step, 'consumeEvents', () => Promise.resolve(false), true)).toBe('done');
  });
});
