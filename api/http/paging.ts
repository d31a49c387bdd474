import { z } from 'zod';
import { nextOf } from '../../stores/postgres/connection/rows.ts';
import { invalid } from '../errors.ts';
import type { ApiError } from '../errors.ts';
import type { cursorPaginationSchema, paginationSchema } from '../../contract/shared.ts';

/** Returns the cursor of a position in a list. `list` rejects cursors of other lists and orders. */
export function cursorOf(list: string, place: object): string {
  return Buffer.from(JSON.stringify([list, place]), 'utf8').toString('base64url');
}

function jsonOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Returns the error for a cursor of another list. */
export function badCursor(): ApiError {
  return invalid('cursor', 'is not a cursor of this list');
}

/** The place that a cursor names; null without one. @throws ApiError VALIDATION_FAILED for one that this list did not give */
export function placeOf<Place>(cursor: string | undefined, list: string, shape: z.ZodType<Place>): Place | null {
  if (cursor === undefined) return null;
  const read = z.tuple([z.literal(list), shape]).safeParse(jsonOf(cursor));
  if (read.success) return read.data[1];
  throw badCursor();
}

/**
 * Pagination of a list that is read by cursor or by page. `total` is null behind a cursor, where rows are not counted again and the page number is unknown: the
 * requested one is returned.
 */
export function pageOf(
  page: number,
  limit: number,
  total: number | null,
  next: string | null,
): z.output<typeof cursorPaginationSchema> {
  return {
    page,
    limit,
    total,
    total_pages: total === null ? null : Math.ceil(total / limit),
    has_next: next !== null,
    has_prev: total === null || page > 1,
    next_cursor: next,
  };
}

/** Returns the part of a list whose rows were read with one more than the limit, newest first. */
export function newestPage<Row extends { readonly id: string }, Item>(
  found: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
): { readonly data: Item[]; readonly pagination: { readonly limit: number; readonly next_cursor: string | null } } {
  const { shown, next } = nextOf(found, limit);
  return { data: shown.map(present), pagination: { limit, next_cursor: next?.id ?? null } };
}

/** The same of a list that is read in both directions, with the cursors of its neighbours. */
export function pageBetween(
  page: number,
  limit: number,
  total: number | null,
  { previous, next }: { readonly previous: string | null; readonly next: string | null },
): z.output<typeof cursorPaginationSchema> {
  return { ...pageOf(page, limit, total, next), has_prev: previous !== null, prev_cursor: previous };
}

/** Pagination of a list that is read by page. */
export function paginationOf(page: number, limit: number, total: number): z.output<typeof paginationSchema> {
  const totalPages = Math.ceil(total / limit);
  return {
    page,
    limit,
    total,
    total_pages: totalPages,
    has_next: page < totalPages,
    has_prev: page > 1,
    next_cursor: null,
  };
}
