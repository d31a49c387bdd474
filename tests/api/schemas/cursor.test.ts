import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiError } from '../../../api/errors.ts';
import { cursorOf, pageOf, placeOf } from '../../../api/http/paging.ts';
import { cursorQuery } from '../../../contract/shared.ts';

const shape = z.strictObject({ value: z.number(), id: z.string() });
const place = { value: 0.7, id: 'an id' };

/** The fields that a refusal names. */
function refused(cursor: string, list = 'a list'): readonly string[] {
  try {
    placeOf(cursor, list, shape);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'VALIDATION_FAILED')
      return error.details.map((detail) => detail.field);
    throw error;
  }
  return [];
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

describe('a cursor', () => {
  test('names its place again, and none names none', () => {
    expect(placeOf(cursorOf('a list', place), 'a list', shape)).toEqual(place);
    expect(placeOf(undefined, 'a list', shape)).toBeNull();
  });

  test('is fit for an address', () => {
    expect(cursorQuery.cursor.parse(cursorOf('a list', { ...place, id: '时区 é/+=' }))).toMatch(/^[A-Za-z0-9_-]+$/);
    for (const odd of ['', 'a b', 'a=', 'x'.repeat(513)]) expect(cursorQuery.cursor.safeParse(odd).success).toBe(false);
  });

  test.each([
    ['odd'],
    ['----'],
    [encoded(null)],
    [encoded({})],
    [encoded(['a list'])],
    [encoded(['a list', place, 1])],
    [encoded(['a list', { ...place, more: 1 }])],
    [encoded(['a list', { value: '0.7', id: 'an id' }])],
    [encoded(['another list', place])],
  ])('that the list did not give is refused: %s', (cursor) => {
    expect(refused(cursor)).toEqual(['cursor']);
  });
});

describe('pagination', () => {
  test('by page knows its neighbours, and where to go on', () => {
    expect(pageOf(2, 10, 35, 'next')).toEqual({
      page: 2,
      limit: 10,
      total: 35,
      total_pages: 4,
      has_next: true,
      has_prev: true,
      next_cursor: 'next',
    });
    expect(pageOf(1, 10, 5, null)).toMatchObject({ has_next: false, has_prev: false, next_cursor: null });
  });

  test('behind a cursor is not counted, there is something before, and the end is where no cursor is given', () => {
    const uncounted = { total: null, total_pages: null, has_prev: true };
    expect(pageOf(1, 10, null, 'next')).toMatchObject({ ...uncounted, has_next: true });
    expect(pageOf(1, 10, null, null)).toMatchObject({ ...uncounted, has_next: false });
  });
});
