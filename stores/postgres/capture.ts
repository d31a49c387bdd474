import type pg from 'pg';
import { z } from 'zod';
import type { CaptureEvent, CaptureOutcome } from '../../domain/capture/event.ts';
import { asId } from '../../domain/ids.ts';

const outcomeRow = z.object({
  status: z.enum(['accepted', 'duplicate', 'rejected']),
  row_id: z.uuid().nullable(),
  seq: z.number().int().nullable(),
  session_id: z.uuid(),
});

/**
 * Stores events of any number of sessions and tenants in one transaction and one round trip; answers one outcome an event, in order.
 * What is answered as accepted is committed.
 */
export async function captureEvents(pool: pg.Pool, events: readonly CaptureEvent[]): Promise<CaptureOutcome[]> {
  const batch = JSON.stringify(events.map((event, ord) => ({ ...event, ord })));
  const result = await pool.query({
    name: 'capture_events',
    text: 'SELECT status, row_id, seq, session_id FROM capture_events($1::jsonb) ORDER BY ord',
    values: [batch],
  });
  return result.rows.map((row: unknown) => {
    const parsed = outcomeRow.parse(row);
    return {
      status: parsed.status,
      rowId: parsed.row_id === null ? null : asId(parsed.row_id),
      seq: parsed.seq,
      sessionId: asId(parsed.session_id),
    };
  });
}
