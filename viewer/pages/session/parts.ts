/** A row of a session; positions of all rows of a session differ. */
export interface Positioned {
  readonly seq: number;
}

/** Rows of one kind that were read, in order and without gaps. */
export interface Part<Row extends Positioned> {
  readonly rows: readonly Row[];
  /** Number of all rows of the kind; null of a page behind a cursor, which is not counted. */
  readonly total: number | null;
  /** Cursor of earlier rows; null at the start. */
  readonly before: string | null;
  /** Cursor of later rows; null at the end. */
  readonly after: string | null;
}

interface Answer<Row> {
  readonly data: readonly Row[];
  readonly pagination: {
    readonly total: number | null;
    readonly next_cursor: string | null;
    readonly prev_cursor?: string | null | undefined;
  };
}

/** Returns the rows of one page. */
export function partOf<Row extends Positioned>({ data, pagination }: Answer<Row>): Part<Row> {
  const { total, next_cursor: after, prev_cursor: before } = pagination;
  return { rows: data, total, before: before ?? null, after };
}

/** Returns the position of the first and of the last of ordered rows. */
function rangeOf(rows: readonly Positioned[]): readonly [number, number] {
  return [rows[0]?.seq ?? Number.POSITIVE_INFINITY, rows.at(-1)?.seq ?? Number.NEGATIVE_INFINITY];
}

/** Returns rows in order; of two with the same position the one of `newer`. Linear, for a session of 100,000 rows, unless the two overlap. */
function joined<Row extends Positioned>(older: readonly Row[], newer: readonly Row[]): readonly Row[] {
  const [olderFirst, olderLast] = rangeOf(older);
  const [newerFirst, newerLast] = rangeOf(newer);
  if (olderLast < newerFirst) return [...older, ...newer];
  if (newerLast < olderFirst) return [...newer, ...older];
  const bySeq = new Map([...older, ...newer].map((row) => [row.seq, row]));
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq);
}

/** Returns a part with the page that its cursor `before` or `after` led to. */
export function withPage<Row extends Positioned>(
  part: Part<Row>,
  page: Part<Row>,
  side: 'before' | 'after',
): Part<Row> {
  return { ...part, rows: joined(part.rows, page.rows), total: page.total ?? part.total, [side]: page[side] };
}

/** Returns a part that was read to its end with the page around its last row, which has later ones. */
export function withLatest<Row extends Positioned>(part: Part<Row>, page: Part<Row>): Part<Row> {
  const from = part.rows[0]?.seq ?? 0;
  const rows = joined(
    part.rows,
    page.rows.filter(({ seq }) => seq >= from),
  );
  return { ...part, rows, total: page.total, after: page.after };
}

/** Returns the first position from which on no row of the part is missing. */
function startOf({ rows, before }: Part<Positioned>): number {
  return before === null ? Number.NEGATIVE_INFINITY : (rows[0]?.seq ?? Number.NEGATIVE_INFINITY);
}

/** Returns the last position up to which no row of the part is missing. */
function endOf({ rows, after }: Part<Positioned>): number {
  return after === null ? Number.POSITIVE_INFINITY : (rows.at(-1)?.seq ?? Number.POSITIVE_INFINITY);
}

/** Returns the rows of all parts in order, between the positions where each part is complete. */
export function readable<Row extends Positioned>(parts: readonly Part<Row>[]): readonly Row[] {
  const from = Math.max(...parts.map(startOf));
  const to = Math.min(...parts.map(endOf));
  const next = parts.map(() => 0);
  const merged: Row[] = [];
  for (;;) {
    let least: Row | undefined;
    let of = 0;
    for (const [index, { rows }] of parts.entries()) {
      const row = rows[next[index] ?? 0];
      if (row === undefined || (least !== undefined && least.seq <= row.seq)) continue;
      least = row;
      of = index;
    }
    if (least === undefined || least.seq > to) return merged;
    next[of] = (next[of] ?? 0) + 1;
    if (least.seq >= from) merged.push(least);
  }
}

/** Returns which of the parts to read further in a direction, so that more rows are readable; none at the end. */
export function limiting(parts: readonly Part<Positioned>[], side: 'before' | 'after'): readonly boolean[] {
  if (side === 'after') {
    const to = Math.min(...parts.map(endOf));
    return parts.map((part) => part.after !== null && endOf(part) <= to);
  }
  const from = Math.max(...parts.map(startOf));
  return parts.map((part) => part.before !== null && startOf(part) >= from);
}
