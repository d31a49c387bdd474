import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { PERMANENT_FAILURES, WAITING_REASONS } from '../../workflows/failure-types.ts';
import { isInstanceFailure, MAX_PROVIDER_WAIT_MS, providerWait } from '../../workflows/failures.ts';

const FIRST_MS = 30_000;

const activity = (cause: Error | undefined): ActivityFailure =>
  new ActivityFailure('failed', 'summariseWindows', '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, undefined, cause);
const child = (cause: Error | undefined): ChildWorkflowFailure =>
  new ChildWorkflowFailure(
    'default',
    { workflowId: 'learn/t/s', runId: 'r' },
    'learning',
    RetryState.NON_RETRYABLE_FAILURE,
    cause,
  );
const failure = (type: string, details: unknown[] = [], nonRetryable = false): ApplicationFailure =>
  ApplicationFailure.create({ type, message: 'x', details, nonRetryable });

describe('waits for', () => {
  it.each(WAITING_REASONS)('%s, by its name', (type) => {
    expect(providerWait(activity(failure(type)), 0, FIRST_MS)).toEqual({ reason: type, delayMs: FIRST_MS });
  });

  it.each([
    ['of an activity', activity(failure('ProviderOverloaded'))],
    ['of a child', child(failure('ProviderOverloaded'))],
    ['of an activity of a child', child(activity(failure('ProviderOverloaded')))],
    ['itself', failure('ProviderOverloaded')],
  ])('a failure %s', (_, error) => {
    expect(providerWait(error, 0, FIRST_MS)?.reason).toBe('ProviderOverloaded');
  });

  it('a time limit', () => {
    const timeout = new TimeoutFailure('late', undefined, 'START_TO_CLOSE');
    expect(providerWait(activity(timeout), 1, FIRST_MS)).toEqual({ reason: 'StepTimeout', delayMs: 2 * FIRST_MS });
  });

  it('a failure without a known type', () => {
    for (const error of [ApplicationFailure.create({ message: 'x' }), failure('TypeError')])
      expect(providerWait(activity(error), 0, FIRST_MS)?.reason).toBe('Unexpected');
  });
});

describe('does not wait for', () => {
  it.each(PERMANENT_FAILURES)('%s', (type) => {
    expect(providerWait(activity(failure(type, [], true)), 0, FIRST_MS)).toBeNull();
  });

  it.each([
    ['a cancellation', new CancelledFailure('stop')],
    ['an activity that was cancelled', activity(new CancelledFailure('stop'))],
    ['a child that was terminated', child(new TerminatedFailure('terminated', undefined))],
    ['an activity without a cause', activity(undefined)],
    ['a fault of the workflow itself', new TypeError('x')],
    ['no error', 'x'],
    ['nothing', undefined],
  ])('%s', (_, error) => {
    expect(providerWait(error, 0, FIRST_MS)).toBeNull();
  });
});

describe('how long', () => {
  it.each([
    [0, 30_000],
    [1, 60_000],
    [2, 120_000],
    [3, 240_000],
    [4, 480_000],
    [5, MAX_PROVIDER_WAIT_MS],
    [50, MAX_PROVIDER_WAIT_MS],
    [100_000, MAX_PROVIDER_WAIT_MS],
  ])('after %i failures in a row %i ms', (failures, delayMs) => {
    expect(providerWait(activity(failure('ProviderOverloaded')), failures, FIRST_MS)?.delayMs).toBe(delayMs);
  });

  it.each([
    [5_000, 5_000],
    [3_600_000, 3_600_000],
    [0, 1],
    [-5, 1],
  ])('a wait of %i ms requested by the provider is %i ms, regardless of earlier waits', (requested, delayMs) => {
    expect(providerWait(activity(failure('ProviderRateLimited', [requested])), 9, FIRST_MS)?.delayMs).toBe(delayMs);
  });

  it.each([['text'], [null], [{ retryAfterMs: 5 }]])('%j as detail requests no wait', (detail) => {
    expect(providerWait(activity(failure('ProviderRateLimited', [detail])), 0, FIRST_MS)?.delayMs).toBe(FIRST_MS);
  });
});

describe('a failure of the instance itself', () => {
  const timeout = (kind: 'HEARTBEAT' | 'START_TO_CLOSE') => new TimeoutFailure('late', undefined, kind);

  it.each([
    ['an unavailable database', activity(failure('DatabaseUnavailable')), true],
    ['conflicting transactions', activity(failure('DatabaseConflict')), true],
    ['an unavailable vector index', activity(failure('VectorIndexUnavailable')), true],
    ['a worker that stopped', activity(timeout('HEARTBEAT')), true],
    ['a provider that does not respond in time', activity(timeout('START_TO_CLOSE')), false],
    ['an overloaded provider', activity(failure('ProviderOverloaded')), false],
    ['a failure without a known cause', activity(failure('Unexpected')), false],
    ['a permanent failure', activity(failure('ModelOutputInvalid', [], true)), false],
    ['a cancellation', activity(new CancelledFailure('stop')), false],
  ])('%s', (_, error, expected) => {
    expect(isInstanceFailure(error)).toBe(expected);
  });
});
