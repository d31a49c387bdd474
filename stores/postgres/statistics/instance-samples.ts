import type pg from 'pg';
import { z } from 'zod';
import { leastIdAt } from '../../../domain/ids.ts';
import type { TenantRead } from '../connection/database.ts';

const DAY_MS = 86_400_000;
/** Start of the present five minutes; the functions and the viewer's charts have 288 of them a day. */
const SLOT = "date_bin('5 minutes', now(), 'epoch')";

/** Counters of an api process since its start, and its resident memory. */
const apiFigures = z.object({
  captures: z.number(),
  searches: z.number(),
  requests: z.number(),
  memory_bytes: z.number(),
});
export type ApiFigures = z.output<typeof apiFigures>;

const machineFigures = z.object({
  /** Resident memory of the worker. */
  memory_bytes: z.number(),
  /** Used memory of its container, or of its machine without a limit. */
  machine_used_bytes: z.number(),
  machine_limit_bytes: z.number(),
});
/** What a worker measures of itself and its machine. */
export type MachineFigures = z.output<typeof machineFigures>;

const workerFigures = machineFigures.extend({
  sessions: z.number(),
  rows: z.number(),
  /** Age of the oldest row that no workflow has consumed. */
  oldest_s: z.number(),
  windows: z.number(),
  vectors: z.number(),
  database_bytes: z.number(),
  /** Snapshot of the last complete backup, in ms since 1970. */
  backup_ms: z.number().nullable(),
  /** Cost of model requests of the UTC day. */
  usd_today: z.number(),
});

/** A stored row of one process. `slot`, `takenAt`: ms since 1970. */
export type StoredSample = { readonly slot: number; readonly takenAt: number } & (
  | { readonly source: 'worker'; readonly figures: z.output<typeof workerFigures> }
  | { readonly source: `api:${string}`; readonly figures: ApiFigures }
);

const SUM = (figure: string) => `coalesce(sum(f.value) FILTER (WHERE f.figure = '${figure}'), 0)`;

/**
 * Stores a sample of the present five minutes unless there is one, deletes those older than a day, and notifies the api processes, which add their rows. Returns
 * true if a sample was stored.
 */
export async function takeSample(maintenance: pg.Pool, measure: () => MachineFigures, nowMs: number): Promise<boolean> {
  const known = await maintenance.query(`SELECT FROM instance_samples WHERE slot = ${SLOT} AND source = 'worker'`);
  if (known.rowCount !== 0) return false;
  const { rowCount } = await maintenance.query(
    `WITH taken AS (
       INSERT INTO instance_samples (slot, source, figures)
       SELECT ${SLOT}, 'worker', $1::jsonb || jsonb_build_object(
                'sessions', ${SUM('sessions')}, 'rows', ${SUM('unconsumed_rows')}, 'oldest_s', ${SUM('unconsumed_oldest_age')},
                'windows', ${SUM('windows')}, 'vectors', ${SUM('vectors')}, 'database_bytes', ${SUM('database_size')},
                'backup_ms', (SELECT floor(extract(epoch FROM max(b.snapshot_at)) * 1000) FROM backups b WHERE b.manifest_sha256 IS NOT NULL AND b.removed_at IS NULL),
                'usd_today', (SELECT coalesce(sum(l.cost_usd), 0) FROM usage_ledger l WHERE l.id >= $2::uuid))
         FROM instance_figures(NULL) AS f
       ON CONFLICT DO NOTHING RETURNING slot
     ), expired AS (DELETE FROM instance_samples s USING taken t WHERE s.slot <= t.slot - interval '1 day')
     SELECT pg_notify('instance_sampled', '') FROM taken`,
    [machineFigures.parse(measure()), leastIdAt(Math.floor(nowMs / DAY_MS) * DAY_MS)],
  );
  return rowCount === 1;
}

/** Stores the figures of an api process for the present five minutes, once. `process`: an id of this start of it. */
export async function addProcessSample(pool: pg.Pool, process: string, figures: ApiFigures): Promise<void> {
  await pool.query(
    `INSERT INTO instance_samples (slot, source, figures) VALUES (${SLOT}, 'api:' || $1::text, $2) ON CONFLICT DO NOTHING`,
    [process, apiFigures.parse(figures)],
  );
}

const times = { slot: z.coerce.number(), taken_at: z.coerce.number() };
const sampleRow = z.union([
  z.object({ ...times, source: z.literal('worker'), figures: workerFigures }),
  z.object({ ...times, source: z.templateLiteral(['api:', z.string()]), figures: apiFigures }),
]);

/** Returns the samples of the last day, oldest first; none to other tenants than the operator's. */
export async function readSamples(read: TenantRead): Promise<StoredSample[]> {
  const rows = await read({
    name: 'read_instance_samples',
    text: `SELECT extract(epoch FROM slot) * 1000 AS slot, extract(epoch FROM taken_at) * 1000 AS taken_at, source, figures FROM instance_samples
            WHERE slot > now() - interval '1 day' ORDER BY slot, source`,
    values: [],
  });
  return z
    .array(sampleRow)
    .parse(rows)
    .map(({ taken_at: takenAt, ...row }) => ({ ...row, takenAt }));
}
