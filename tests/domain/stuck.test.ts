import { expect, test } from 'vitest';
import { STUCK_REASONS, stuckAdvice } from '../../domain/stuck.ts';

const facts = { windowsParked: 2, parkedFor: 'ModelRefused', vectorsFailed: 1, stillMs: 20 * 60_000 };

test('has a reason and a remedy for every kind', () => {
  for (const reason of STUCK_REASONS) {
    const { why, advice } = stuckAdvice({ ...facts, reason });
    expect([reason, why, advice]).toEqual([
      reason,
      expect.stringMatching(/^[A-Z0-9][^\n]+\.$/),
      expect.stringMatching(/^[A-Z0-9][^\n]+\.$/),
    ]);
  }
});

test('formats numbers for people', () => {
  expect(stuckAdvice({ ...facts, reason: 'windows_parked' }).why).toBe(
    '2 windows were parked (ModelRefused): the model returned no usable summary.',
  );
  expect(stuckAdvice({ ...facts, reason: 'windows_parked', windowsParked: 1, parkedFor: null }).why).toBe(
    'One window was parked: the model returned no usable summary.',
  );
  expect(stuckAdvice({ ...facts, reason: 'vectors_failed' }).why).toBe(
    'The vector index rejected one chunk too often.',
  );
  expect(stuckAdvice({ ...facts, reason: 'no_progress', stillMs: 5 * 3_600_000 }).why).toContain('5 hours');
  expect(stuckAdvice({ ...facts, reason: 'events_unconsumed', stillMs: 0 }).why).toContain('for a minute');
});
