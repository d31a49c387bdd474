import { expect, test } from 'vitest';
import { failureOf } from '../../../activities/model-calls/failure-of.ts';
import type { CallFailure } from '../../../activities/model-calls/failure-of.ts';
import { BudgetExhausted } from '../../../domain/costs/limits.ts';
import { ModelError } from '../../../domain/ports/model.ts';

const HOUR_MS = 3_600_000;
const limited = (retryAfterMs: number) => new ModelError('rate_limited', 'limited', { retryAfterMs });

test.each<readonly [string, CallFailure, CallFailure]>([
  ['the next day before a provider that needs days', new BudgetExhausted(3 * HOUR_MS), limited(120 * HOUR_MS)],
  ['a provider that needs a minute before the next day', limited(60_000), new BudgetExhausted(3 * HOUR_MS)],
  ['a provider with an unknown wait before the next day', new ModelError('overloaded', 'o'), new BudgetExhausted(1)],
  [
    'a setting, which may be corrected, before hours',
    new ModelError('unauthorised', 'u'),
    new BudgetExhausted(HOUR_MS),
  ],
  ['a minute before a setting', limited(60_000), new ModelError('unauthorised', 'u')],
  ['the next day before a failure that remains', new BudgetExhausted(20 * HOUR_MS), new ModelError('refused', 'r')],
])('a request waits for %s', (_, first, second) => {
  for (const failures of [
    [first, second],
    [second, first],
  ]) {
    const { name, message } = failureOf(failures);
    expect({ name, message }).toEqual({ name: first.name, message: first.message });
  }
});
