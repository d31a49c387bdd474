import { demoHooks } from '../setup/demo-session.ts';
import type { TestRows } from '../setup/database.ts';
import type { RecordedHook } from '../setup/demo-session.ts';

/** The recorded session as one of another id, so that several can be compared. */
export function hooksOf(session: string): RecordedHook[] {
  return demoHooks().map((hook) => ({
    ...hook,
    session_id: session,
    ...(typeof hook['tool_use_id'] === 'string' ? { tool_use_id: `${session}-${hook['tool_use_id']}` } : {}),
  }));
}

export interface StoredRows {
  readonly prompts: readonly Record<string, unknown>[];
  readonly observations: readonly Record<string, unknown>[];
  readonly boundaries: readonly Record<string, unknown>[];
}

/** Returns a session's stored rows in order, without ids, positions and values that transcripts lack. */
export async function storedRows(db: Pick<TestRows, 'rows'>, session: string): Promise<StoredRows> {
  const rows = (text: string) => db.rows<Record<string, unknown>>(text, [session]);
  const own = 'JOIN sessions s ON s.id = r.session_id WHERE s.external_id = $1';
  return {
    prompts: await rows(
      `SELECT r.type, r.content, r.agent_id, encode(r.sha256, 'hex') AS sha256, r.redactions, r.occurred_at FROM prompts r ${own} ORDER BY r.occurred_at, r.seq`,
    ),
    observations: await rows(
      `SELECT r.type, r.event, r.tool, r.title, r.content, r.input, r.files_read, r.files_modified, r.agent_id, r.redactions, r.duration_ms, r.occurred_at,
              replace(r.key, s.external_id, '') AS key
         FROM observations r ${own} AND r.tool IS NOT NULL ORDER BY r.occurred_at, r.seq`,
    ),
    boundaries: await rows(
      `SELECT r.kind, r.agent_id FROM boundaries r ${own} AND r.kind NOT IN ('session_start', 'session_end', 'compaction')
        UNION ALL SELECT DISTINCT r.kind, r.agent_id FROM boundaries r ${own} AND r.kind = 'session_start' ORDER BY kind, agent_id`,
    ),
  };
}

/** Returns the number of a session's rows by source. */
export async function sources(db: Pick<TestRows, 'rows'>, session: string): Promise<Record<string, number>> {
  const rows = await db.rows<{ source: string; n: number }>(
    `SELECT k.source, count(*)::integer AS n FROM capture_keys k JOIN sessions s ON s.id = k.session_id WHERE s.external_id = $1 GROUP BY 1`,
    [session],
  );
  return Object.fromEntries(rows.map(({ source, n }) => [source, n]));
}
