import pg from 'pg';
import { z } from 'zod';

/** A part of a table: rows with `lowest` <= key < `above`, of the first column of its primary key; null where it is open. */
export interface KeyRange {
  readonly lowest: string | null;
  readonly above: string | null;
}

/** About what of a table goes into one file: small enough that connections share the work evenly, large enough that a file costs nothing. */
const PART_BYTES = 128 * 1024 * 1024;
/** So many pages are looked at for each part. */
const PAGES_PER_PART = 50;
const PAGE_BYTES = 8_192;

/** What decides where a table is cut. */
export interface CutTable {
  readonly name: string;
  readonly key: string;
  /** Of its rows, with what is kept out of line, without indexes; about. */
  readonly bytes: number;
}

const cutsRow = z.tuple([z.object({ cuts: z.array(z.guid()).nullable() })]);

/**
 * Where a large table is cut so that its parts are about even: quantiles of its keys in a sample of its pages. None for a table that is one part.
 * Which keys they are is chance; a set says of each of its files which rows it holds.
 */
export async function evenCuts(
  client: pg.ClientBase,
  { name, key, bytes }: CutTable,
  partBytes = PART_BYTES,
): Promise<readonly string[]> {
  const parts = Math.floor(bytes / partBytes) + 1;
  if (parts < 2) return [];
  const percent = Math.min(100, (100 * parts * PAGES_PER_PART * PAGE_BYTES) / bytes);
  const { rows } = await client.query(
    `SELECT (SELECT array_agg(DISTINCT cut ORDER BY cut) FROM unnest(quantiles) AS cut)::text[] AS cuts
       FROM (SELECT percentile_disc($1::float8[]) WITHIN GROUP (ORDER BY ${pg.escapeIdentifier(key)}) AS quantiles
               FROM ${pg.escapeIdentifier(name)} TABLESAMPLE SYSTEM ($2)) AS sample`,
    [Array.from({ length: parts - 1 }, (_, n) => (n + 1) / parts), percent],
  );
  return cutsRow.parse(rows)[0].cuts ?? [];
}

/** The ranges between cuts in any order, from open to open. */
export function rangesBetween(cuts: readonly string[]): readonly KeyRange[] {
  const edges = [null, ...[...new Set(cuts)].toSorted(), null];
  return edges.slice(1).map((above, place) => ({ lowest: edges[place] ?? null, above }));
}
