/** Start of a page of rows in captured order: by page number, or by a position in the session. `around` has rows on both sides of the position. */
export type SeqStart =
  | { readonly side: 'page'; readonly page: number }
  | { readonly side: 'after' | 'before' | 'around'; readonly seq: number };

/** A page of rows in captured order. */
export interface SeqPage<Row> {
  readonly rows: Row[];
  /** Number of rows of the list; null of a page on one side of a position, which follows a counted one. */
  readonly total: number | null;
  /** Position before which earlier rows exist; null: the page is the first. */
  readonly before: number | null;
  /** Position after which later rows exist; null: the page is the last. */
  readonly after: number | null;
}

/** A range of rows to read, in Prisma's words. */
export interface SeqPart {
  readonly seq: { readonly lt?: number; readonly gt?: number };
  readonly orderBy: { readonly seq: 'asc' | 'desc' };
  readonly skip: number;
  readonly take: number;
}

/** Reads of one list. */
interface SeqReads<Row> {
  /** Reads rows in a range: one more than the page returns shows whether others follow. */
  readonly find: (part: SeqPart) => Promise<Row[]>;
  readonly count: () => Promise<number>;
}

/** Returns a page of rows from its start, counted unless it follows another one. */
export async function pageBySeq<Row extends { readonly seq: number }>(
  start: SeqStart,
  limit: number,
  { find, count }: SeqReads<Row>,
): Promise<SeqPage<Row>> {
  const page = await rowsBySeq(start, limit, find);
  return { ...page, total: start.side === 'after' || start.side === 'before' ? null : await count() };
}

async function rowsBySeq<Row extends { readonly seq: number }>(
  start: SeqStart,
  limit: number,
  find: SeqReads<Row>['find'],
): Promise<Omit<SeqPage<Row>, 'total'>> {
  const later = (from: number, take: number, skip = 0) =>
    find({ seq: { gt: from }, orderBy: { seq: 'asc' }, skip, take: take + 1 });
  const earlier = (to: number, take: number) =>
    find({ seq: { lt: to }, orderBy: { seq: 'desc' }, skip: 0, take: take + 1 });
  const join = (older: Row[], mostOlder: number, newer: Row[], mostNewer: number, place: number) => {
    const rows = [...older.slice(0, mostOlder).toReversed(), ...newer.slice(0, mostNewer)];
    return {
      rows,
      before: older.length > mostOlder ? (rows[0]?.seq ?? place) : null,
      after: newer.length > mostNewer ? (rows.at(-1)?.seq ?? place) : null,
    };
  };
  switch (start.side) {
    case 'page': {
      const skip = (start.page - 1) * limit;
      const page = join([], 0, await later(-1, limit, skip), limit, 0);
      return { ...page, before: skip > 0 ? (page.rows[0]?.seq ?? null) : null };
    }
    case 'after': {
      const page = join([], 0, await later(start.seq, limit), limit, start.seq);
      return { ...page, before: page.rows[0]?.seq ?? start.seq + 1 };
    }
    case 'before': {
      const page = join(await earlier(start.seq, limit), limit, [], 0, start.seq);
      return { ...page, after: page.rows.at(-1)?.seq ?? start.seq - 1 };
    }
    case 'around': {
      const half = Math.floor(limit / 2);
      const older = await earlier(start.seq, half);
      const rest = limit - Math.min(older.length, half);
      return join(older, half, await later(start.seq - 1, rest), rest, start.seq);
    }
  }
}
