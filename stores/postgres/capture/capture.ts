import { z } from 'zod';
import { REJECT_REASONS } from '../../../domain/capture/event.ts';
import type { CaptureEvent, CaptureOutcome } from '../../../domain/capture/event.ts';
import { asId } from '../../../domain/ids.ts';
import { encodeBatch, encodeEvent } from './capture-encoding.ts';
import type { EncodedEvent } from './capture-encoding.ts';

const outcomeRow = z
  .object({
    status: z.enum(['accepted', 'duplicate', 'rejected']),
    row_id: z.string().nullable(),
    seq: z.number().nullable(),
    session_id: z.string(),
    reason: z.enum(REJECT_REASONS).nullable(),
  })
  .transform(({ row_id: rowId, session_id: sessionId, ...row }): CaptureOutcome => ({
    ...row,
    rowId: rowId === null ? null : asId(rowId),
    sessionId: asId(sessionId),
  }));

const STATEMENT = `SELECT status, row_id, seq, session_id, reason FROM capture_events($1::boolean, $2::json, $3::json, $4::json, $5::text[],
  $6::integer[], $7::uuid[], $8::integer[], $9::integer[], $10::integer[], $11::text[], $12::json, $13::json, $14::json)`;

/** Error code of `capture_events` for a session that the caller passed as known but that does not exist. */
const SESSION_MISSING = 'RC001';

/** Runs the statement: a pool, or a transaction that also contains other writes. */
interface CaptureConnection {
  query(statement: {
    readonly name: string;
    readonly text: string;
    readonly values: (string | boolean | null)[];
  }): Promise<{ readonly rows: unknown[] }>;
}

/** Stores events; returns one outcome an event, in order. */
export type CaptureEncoded = (events: readonly EncodedEvent[]) => Promise<CaptureOutcome[]>;

/** Size of the cache of known sessions: the least recently used are removed first. */
const MAX_KNOWN = 20_000;

/**
 * Stores encoded events of any number of sessions and tenants in one transaction and one round trip. Events with status accepted are committed.
 * Rejects with the error of node-postgres; then no event of the batch is stored, unless the connection broke during the commit. Caches the sessions
 * that exist and the projects sent for them, so that the database does not look them up again.
 */
export function createCapture(pool: CaptureConnection): CaptureEncoded {
  const known = new Set<string>();
  return async (events) => {
    const { values, sessions } = encodeBatch(events);
    const store = async (sessionsKnown: boolean): Promise<CaptureOutcome[]> => {
      const result = await pool.query({ name: 'capture_events', text: STATEMENT, values: [sessionsKnown, ...values] });
      return z.array(outcomeRow).parse(result.rows);
    };
    const allKnown = sessions.every((session) => known.has(session));
    try {
      const outcomes = await store(allKnown);
      for (const session of sessions) {
        known.delete(session);
        known.add(session);
      }
      for (const oldest of known) {
        if (known.size <= MAX_KNOWN) break;
        known.delete(oldest);
      }
      return outcomes;
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === SESSION_MISSING;
      if (!allKnown || !isMissing) throw error;
      for (const session of sessions) known.delete(session);
      return store(false);
    }
  };
}

/** Stores one batch of events. */
export function captureEvents(pool: CaptureConnection, events: readonly CaptureEvent[]): Promise<CaptureOutcome[]> {
  return createCapture(pool)(events.map(encodeEvent));
}
