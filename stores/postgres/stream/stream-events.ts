import type pg from 'pg';
import { z } from 'zod';
import { STREAM_EVENT_TYPES } from '../../../domain/stream.ts';
import type { StreamEvent, StreamFilter } from '../../../domain/stream.ts';
import type { Database, TenantView } from '../connection/database.ts';
import { isoColumn, rowOf } from '../connection/rows.ts';

/** Positions of the instance's stream. */
export interface StreamClock {
  /** The last one; a larger one was given by another database. */
  readonly last: number;
  /** After this one no event is missing. */
  readonly keptAfter: number;
}

const NUMBERED_AT_ONCE = 10_000;
const clockRows = z.tuple([
  z.object({ last_position: z.coerce.number(), kept_after: z.coerce.number(), more: z.boolean() }),
]);

/** Gives all events that were committed until now their positions. Returns the clock. */
export async function numberStreamEvents(pool: pg.Pool, most = NUMBERED_AT_ONCE): Promise<StreamClock> {
  for (;;) {
    const { rows } = await pool.query('SELECT * FROM number_stream_events($1)', [most]);
    const [{ last_position: last, kept_after: keptAfter, more }] = clockRows.parse(rows);
    if (!more) return { last, keptAfter };
  }
}

const eventRows = z.array(
  rowOf({
    position: z.coerce.number(),
    type: z.enum(STREAM_EVENT_TYPES),
    user_id: z.string(),
    is_private: z.boolean(),
    project_id: z.string().nullable(),
    namespace: z.string().nullable(),
    session_id: z.string().nullable(),
    subject_id: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    occurred_at: isoColumn,
  }),
);

/** A part of the stream. */
export interface StreamRange {
  readonly after: number;
  readonly upTo: number;
  readonly filter: StreamFilter;
  readonly limit: number;
}

/** Reads events of a tenant between two positions, in order; the policies select those that the view shows. */
export async function readStreamEvents(
  database: Database,
  view: TenantView,
  { after, upTo, filter, limit }: StreamRange,
): Promise<StreamEvent[]> {
  const rows = await database.readAsTenant(view, (read) =>
    read({
      name: 'read_stream_events',
      text: `
        SELECT position, type, user_id, private AS is_private, project_id, namespace, session_id, subject_id, data, occurred_at
          FROM stream_events
         WHERE tenant_id = $1 AND position > $2 AND position <= $7 AND ($3::text[] IS NULL OR type = ANY ($3)) AND ($4::uuid IS NULL OR project_id = $4)
           AND ($5::uuid IS NULL OR session_id = $5)
         ORDER BY position LIMIT $6`,
      values: [view.tenantId, after, filter.types, filter.projectId, filter.sessionId, limit, upTo],
    }),
  );
  return eventRows.parse(rows);
}

/** Age at which events are deleted, as PostgreSQL reads it. */
const RETAINED = '24 hours';
const PRUNED_AT_ONCE = 5_000;
/** The next sweep continues. */
const LONGEST_MS = 5_000;

/** Deletes events older than a day, in batches and for some seconds at most; returns their number. */
export async function pruneStreamEvents(maintenance: pg.Pool, batch = PRUNED_AT_ONCE): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  let pruned = 0;
  for (;;) {
    const { rows } = await maintenance.query<{ pruned: number }>('SELECT prune_stream_events($1, $2) AS pruned', [
      RETAINED,
      batch,
    ]);
    const count = rows[0]?.pruned ?? 0;
    pruned += count;
    if (count < batch || performance.now() > deadline) return pruned;
  }
}
