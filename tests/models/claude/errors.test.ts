import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../domain/ports/model.ts';
import { kindOfType, toModelError } from '../../../models/claude/errors.ts';
import { readRetryAfter } from '../../../models/requests/http-status.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');

describe('readRetryAfter', () => {
  it.each<readonly [Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': ' 30 ' }, 30_000],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'Infinity' }, undefined],
    [{ 'retry-after-ms': '250.2' }, 251],
    [{ 'retry-after-ms': 'soon', 'retry-after': '2' }, 2000],
    [{ 'retry-after': 'Mon, 02 Mar 2026 09:00:30 GMT' }, 30_000],
    [{ 'retry-after': '99999999999999999999' }, 86_400_000],
    [{ 'retry-after-ms': '86400001' }, 86_400_000],
    [{ 'retry-after': 'Fri, 02 Mar 2096 09:00:30 GMT' }, 86_400_000],
  ])('%o', (headers, expected) => {
    expect(readRetryAfter(new Headers(headers), NOW)).toBe(expected);
  });

  it('accepts an error without headers', () => {
    expect(readRetryAfter(undefined, NOW)).toBeUndefined();
  });
});

describe('toModelError', () => {
  it('returns a ModelError unchanged', () => {
    const error = new ModelError('truncated', 'cut');
    expect(toModelError(error, NOW)).toBe(error);
  });

  it('removes the content of an unknown error', () => {
    const error = toModelError(new Error('the captured prompt'), NOW);
    expect(error.kind).toBe('unavailable');
    expect(error.message).not.toContain('captured');
    expect(error.cause).toBeUndefined();
  });
});

it.each([
  ['authentication_error', 'unauthorised'],
  ['not_found_error', 'unauthorised'],
  ['rate_limit_error', 'rate_limited'],
  ['overloaded_error', 'overloaded'],
  ['timeout_error', 'timeout'],
  ['invalid_request_error', 'invalid_request'],
  ['request_too_large', 'invalid_request'],
  ['api_error', 'unavailable'],
  ['of_the_future', 'unavailable'],
])('an error of type %s in a batch is %s', (type, kind) => {
  expect(kindOfType(type)).toBe(kind);
});
