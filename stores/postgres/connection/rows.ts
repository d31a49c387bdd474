import { z } from 'zod';

const anyRows = z.array(z.record(z.string(), z.unknown()));

/** Returns one column of raw rows, checked as `type`. @throws ZodError for other rows */
export function columnOf<Value>(rows: unknown, name: string, type: z.ZodType<Value>): Value[] {
  return anyRows.parse(rows).map((row) => type.parse(row[name]));
}

/** Returns the ids of raw rows. @throws ZodError for other rows */
export function idsOf(rows: unknown): string[] {
  return columnOf(rows, 'id', z.string());
}

/** A part of a list: after a position, else by page number. */
export interface PageSlice<Place> {
  readonly after: Place | null;
  readonly page: number;
  readonly limit: number;
}

/** A part of a list. */
export interface Page<Row, Place> {
  readonly rows: Row[];
  /** Number of rows of the list. */
  readonly total: number;
  /** Start of the next page; null on the last one. */
  readonly next: Place | null;
}

/** Splits rows that were read with one more than the limit: those of the page, and the last of them if there are more. */
export function nextOf<Row>(
  found: readonly Row[],
  limit: number,
): { readonly shown: readonly Row[]; readonly next: Row | null } {
  const shown = found.slice(0, limit);
  return { shown, next: found.length > limit ? (shown.at(-1) ?? null) : null };
}

/** Sorts rows in the order of other rows with the same ids. */
export function inOrder<Row extends { readonly id: string }>(
  order: readonly { readonly id: string }[],
  rows: readonly Row[],
): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return order.flatMap(({ id }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [row];
  });
}
