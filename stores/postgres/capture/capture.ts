import { z } from 'zod';
import { REJECT_REASONS } from '../../../domain/capture/event.ts';
import type { CaptureEvent, CaptureOutcome } from '../../../domain/capture/event.ts';
import { asId } from '../../../domain/ids.ts';
import { encodeBatch, encodeEvent } from './capture-encoding.ts';
import type { EncodedEvent } from './capture-encoding.ts';

const outcomeRow = z.object({
  status: z.enum(['accepted', 'duplicate', 'rejected']),
  row_id: z.string().nullable(),
  seq: z.number().nullable(),
  session_id: z.string(),
  reason: z.enum(REJECT_REASONS).nullable(),
});

const STATEMENT = `SELECT status, row_id, seq, session_id, reason FROM capture_events($1::boolean, $2::json, $3::json, $4::json, $5::text[],
  $6::integer[], $7::uuid[], $8::integer[], $9::integer[], $10::integer[], $11::text[], $12::json, $13::json, $14::json)`;

/** What `capture_events` raises when a session that was said to be there is not. */
const SESSION_GONE = 'RC001';

function isSessionGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === SESSION_GONE;
}

/** What runs the statement: a pool, or a transaction that other writes stand in, too. */
interface CaptureConnection {
  query(statement: {
    readonly name: string;
    readonly text: string;
    readonly values: (string | boolean | null)[];
  }): Promise<{ readonly rows: unknown[] }>;
}

async function call(
  pool: CaptureConnection,
  settled: boolean,
  values: readonly (string | null)[],
): Promise<CaptureOutcome[]> {
  const result = await pool.query({ name: 'capture_events', text: STATEMENT, values: [settled, ...values] });
  return result.rows.map((row: unknown) => {
    const parsed = outcomeRow.parse(row);
    return {
      status: parsed.status,
      rowId: parsed.row_id === null ? null : asId(parsed.row_id),
      seq: parsed.seq,
      sessionId: asId(parsed.session_id),
      reason: parsed.reason,
    };
  });
}

/** Stores events; answers one outcome an event, in order. */
export type CaptureEncoded = (events: readonly EncodedEvent[]) => Promise<CaptureOutcome[]>;

/** Sessions that are remembered as settled: the oldest are forgotten first. */
const MAX_SETTLED = 20_000;

/**
 * Stores encoded events of any number of sessions and tenants in one transaction and one round trip. What is answered as accepted is
 * committed. Rejects with the error of node-postgres; then nothing of the batch is stored, unless the connection broke while the commit was
 * answered. Remembers which sessions are there and what was said of their projects, so that the database need not look again.
 */
export function createCapture(pool: CaptureConnection): CaptureEncoded {
  const settled = new Set<string>();
  return async (events) => {
    const { values, sessions } = encodeBatch(events);
    const known = sessions.every((session) => settled.has(session));
    try {
      const outcomes = await call(pool, known, values);
      for (const session of sessions) {
        // Put to the end: what is in use is kept.
        settled.delete(session);
        settled.add(session);
      }
      for (const oldest of settled) {
        if (settled.size <= MAX_SETTLED) break;
        settled.delete(oldest);
      }
      return outcomes;
    } catch (error) {
      if (!known || !isSessionGone(error)) throw error;
      for (const session of sessions) settled.delete(session);
      return call(pool, false, values);
    }
  };
}

/** The same for events as they are built, and for one batch. */
export function captureEvents(pool: CaptureConnection, events: readonly CaptureEvent[]): Promise<CaptureOutcome[]> {
  return createCapture(pool)(events.map(encodeEvent));
}
