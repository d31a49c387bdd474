/** Which part of a list is wanted: behind a place of it, else by page. */
export interface PageSlice<Place> {
  readonly after: Place | null;
  readonly page: number;
  readonly limit: number;
}

/** A part of a list. */
export interface Page<Row, Place> {
  readonly rows: Row[];
  /** Rows of the whole list. */
  readonly total: number;
  /** Where the next page begins; null behind the last. */
  readonly next: Place | null;
}

/** Of rows that were read with one more than the limit, those that are shown, and the last of them where there are more. */
export function nextOf<Row>(
  found: readonly Row[],
  limit: number,
): { readonly shown: readonly Row[]; readonly next: Row | null } {
  const shown = found.slice(0, limit);
  return { shown, next: found.length > limit ? (shown.at(-1) ?? null) : null };
}

/** Rows in the order of other rows that bear the same ids. */
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
