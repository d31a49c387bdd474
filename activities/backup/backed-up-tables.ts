import pg from 'pg';
import { z } from 'zod';

/** A part of a table: rows with `lowest` <= key < `above`, of the first column of its primary key; null where it is open. */
export interface KeyRange {
  readonly lowest: string | null;
  readonly above: string | null;
}

/** Size of the table part in one file: small enough to balance connections, large enough that the cost per file is negligible. */
const PART_BYTES = 128 * 1024 * 1024;
/** Pages sampled per part. */
const PAGES_PER_PART = 50;
const PAGE_BYTES = 8_192;

/** A table that may be split into parts. */
export interface CutTable {
  readonly name: string;
  readonly key: string;
  /** Approximate size of its rows with TOAST, without indexes. */
  readonly bytes: number;
}

const cutsRow = z.tuple([z.object({ cuts: z.array(z.guid()).nullable() })]);

/**
 * Returns the keys that cut a large table into about even parts: quantiles of a sample of its pages. Empty for a table of one part. The keys
 * vary between runs; the backup records the range of each file.
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

/** Returns the ranges between cuts in any order, open at both ends. */
export function rangesBetween(cuts: readonly string[]): readonly KeyRange[] {
  const edges = [null, ...[...new Set(cuts)].toSorted(), null];
  return edges.slice(1).map((above, place) => ({ lowest: edges[place] ?? null, above }));
}

/** A table as a backup stores it. */
export interface CatalogTable {
  readonly name: string;
  /** In their order in the table, without those that PostgreSQL generates. */
  readonly columns: readonly string[];
  /** Its primary key. */
  readonly orderBy: readonly [string, ...string[]];
  /** Of the first column of `orderBy`: together they hold every row. */
  readonly ranges: readonly KeyRange[];
}

/**
 * Tables that a backup leaves out: the migrations, whose names are in the manifest; caches; work in progress; invites, log-ins and grants of OAuth
 * clients, which would work again after a restore; events of the stream, samples of the instance and marks of traces, which last a day or a week; the instance's own records of backups, their files and the erasure journal.
 */
export const LEFT_OUT: readonly string[] = [
  '_prisma_migrations',
  'embedding_cache',
  'usage_reservations',
  'rate_limits',
  'user_invites',
  'user_sessions',
  'refresh_tokens',
  'signing_keys',
  'auth_attempts',
  'oauth_grants',
  'oauth_payloads',
  'auth_challenges',
  'stream_events',
  'instance_samples',
  'trace_marks',
  'stream_clock',
  'backups',
  'restores',
  'erasure_journal',
  'backup_files',
];

const tableRow = z.object({
  name: z.string(),
  columns: z.array(z.string()).min(1),
  order_by: z.tuple([z.string()], z.string(), { error: 'every table needs a primary key' }),
  bounds: z.array(z.string()),
  bytes: z.coerce.number(),
  is_by_uuid: z.boolean(),
});

/**
 * Ordinary tables and parents of partitions; bounds are those of range partitions by one column, in order. A detached month that retention is
 * about to drop is left out: its rows have expired, and no restored schema has its table. Bytes are those of the last vacuum or analyse:
 * current sizes would wait for table locks.
 */
const TABLES = `
  SELECT c.relname AS name,
         ARRAY(SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
         ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, place), pg_attribute a
                WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY k.place) AS order_by,
         ARRAY(SELECT DISTINCT b[1] FROM pg_partitioned_table p, pg_inherits h, pg_class m,
                      regexp_matches(pg_get_expr(m.relpartbound, m.oid), '(?:FROM|TO) \\(''([0-9a-f-]{36})''\\)', 'g') AS b
                WHERE p.partrelid = c.oid AND p.partstrat = 'r' AND h.inhparent = c.oid AND m.oid = h.inhrelid ORDER BY 1) AS bounds,
         (SELECT coalesce(sum((m.relpages::bigint + coalesce(t.relpages, 0)) * 8192), 0) FROM pg_class m LEFT JOIN pg_class t ON t.oid = m.reltoastrelid
           WHERE m.relkind = 'r' AND (m.oid = c.oid OR m.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid))) AS bytes,
         EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                  WHERE i.indrelid = c.oid AND i.indisprimary AND a.atttypid = 'uuid'::regtype) AS is_by_uuid
    FROM pg_class c
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relname = ANY ($1)
     AND NOT EXISTS (SELECT FROM pg_partitioned_table p JOIN pg_class h ON h.oid = p.partrelid WHERE c.relname ~ ('^' || h.relname || '_[0-9]{4}_[0-9]{2}$'))
   ORDER BY c.relname`;

/**
 * Returns all tables of a backup from the database catalogue, so that a new table cannot be missed. Large tables and months are cut into
 * parts, hot tables at their partitions, with an open range at both ends.
 */
export async function readCatalog(client: pg.ClientBase, partBytes?: number): Promise<CatalogTable[]> {
  const { rows } = await client.query(TABLES, [LEFT_OUT]);
  const tables: CatalogTable[] = [];
  for (const row of z.array(tableRow).parse(rows)) {
    const { name, columns, order_by: orderBy, bounds, bytes } = row;
    const even = row.is_by_uuid ? await evenCuts(client, { name, key: orderBy[0], bytes }, partBytes) : [];
    tables.push({ name, columns, orderBy, ranges: rangesBetween([...bounds, ...even]) });
  }
  return tables;
}

const migrationRow = z.object({ name: z.string() });

/** Returns the names of the applied migrations, in order. */
export async function readMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name',
  );
  return z
    .array(migrationRow)
    .parse(rows)
    .map(({ name }) => name);
}
