import type pg from 'pg';
import { removeLateDuplicates } from '../../domain/transcripts/progress.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { saveSeen, sessionsWithLateRows } from '../../stores/postgres/capture/transcript-files.ts';
import { createDuplicateStore } from '../../stores/postgres/capture/transcripts.ts';

/** Sessions per run. */
const MAX_LATE = 500;

/**
 * Returns one removal for each session, of any user, with rows that arrived after its transcript was read: by a spool, on this machine or another one that
 * sent the transcript. A removal may run twice. `maintenance`: a pool of the maintenance role.
 */
export async function lateDuplicateRemovals(
  maintenance: pg.Pool,
  database: Database,
): Promise<readonly (() => Promise<void>)[]> {
  const late = await sessionsWithLateRows(maintenance, MAX_LATE);
  return late.map(({ tenantId, userId, sessionId, externalId }) => async () => {
    const owner = { tenantId, userId };
    const { stored } = await removeLateDuplicates(externalId, createDuplicateStore(database, owner));
    await saveSeen(database, owner, sessionId, stored?.lastSeq ?? 0);
  });
}
