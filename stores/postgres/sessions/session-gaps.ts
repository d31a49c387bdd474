import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { isoColumn } from '../connection/rows.ts';

const gapRow = z.object({ session_id: z.string(), from: isoColumn, to: isoColumn, has_transcript: z.boolean() });

/** A time in which a session may have lost events, because the api could not store any. */
export interface SessionGap {
  readonly from: string;
  readonly to: string;
  /** The session's transcript was read afterwards. */
  readonly hasTranscript: boolean;
}

/**
 * Returns possible gaps by session, oldest first: recorded outages while a session was active whose agent sends hooks itself. Such hooks have no id of their
 * own and are lost without a server; the client spools its events. `idleMs`: a session without events for this long has ended.
 */
export async function readGaps(
  transaction: TenantTransaction,
  sessionIds: readonly string[],
  idleMs: number,
): Promise<Map<string, SessionGap[]>> {
  const rows = await transaction.$queryRaw`
    SELECT s.id AS session_id, o."from", o."to",
           EXISTS (SELECT FROM transcript_files f WHERE f.session_id = s.id AND f.updated_at > o."to") AS has_transcript
      FROM settings c
      CROSS JOIN jsonb_to_recordset(c.value) AS o("from" timestamptz, "to" timestamptz)
      JOIN sessions s ON s.started_at < o."to" AND s.last_event_at > o."from" - make_interval(secs => ${idleMs / 1_000}::double precision)
     WHERE c.scope = 'system' AND c.scope_id = '' AND c.key = 'capture.outages' AND s.id = ANY (${[...sessionIds]}::uuid[])
       -- Not after the agent has ended the session.
       AND (s.last_event_at > o."from"
            OR NOT EXISTS (SELECT FROM boundaries b WHERE b.session_id = s.id AND b.seq = s.last_seq AND b.kind = 'session_end'))
       AND EXISTS (SELECT FROM capture_keys k WHERE k.session_id = s.id AND k.source = 'hook' AND starts_with(k.key, 'hash:'))
     ORDER BY o."from"`;
  const gaps = new Map<string, SessionGap[]>();
  for (const { session_id, from, to, has_transcript } of z.array(gapRow).parse(rows))
    gaps.set(session_id, [...(gaps.get(session_id) ?? []), { from, to, hasTranscript: has_transcript }]);
  return gaps;
}
