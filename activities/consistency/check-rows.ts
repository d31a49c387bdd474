import { countDangling, dropDangling, sessionsOfQuotesAlone } from '../../stores/postgres/consistency/evidence.ts';
import { repairCounts, wrongCounts } from '../../stores/postgres/consistency/session-counts.ts';
import { sessionPages } from '../../stores/postgres/consistency/sessions.ts';
import { requestRemoval } from '../../stores/postgres/embeddings/embedding-removal.ts';
import type { Comparison } from './dependencies.ts';

/** Quotes of what is nowhere, in these sessions; answers how many learnings were closed for it. */
async function checkQuotes(comparison: Comparison, sessionIds: readonly string[]): Promise<number> {
  const { maintenance, database, tenantId, tally, repair } = comparison;
  const dangling = await countDangling(maintenance, sessionIds);
  tally.find('dangling_evidence', dangling);
  if (!repair || dangling === 0) return 0;
  const { dropped, closed } = await database.asTenant(tenantId, async (transaction) => {
    const done = await dropDangling(transaction, sessionIds);
    await requestRemoval(transaction, done.closed);
    return done;
  });
  tally.repair('dangling_evidence', dropped);
  return closed.length;
}

/**
 * What PostgreSQL knows by itself: quotes of what is nowhere, and sessions that count wrongly. Some sessions at a time, so that no statement and no transaction is
 * longer for a larger instance. Answers whether the index has something to do.
 */
export async function checkRows(comparison: Comparison): Promise<boolean> {
  const { maintenance, tenantId, tally, repair, signal } = comparison;
  let closed = await checkQuotes(comparison, await sessionsOfQuotesAlone(maintenance, tenantId));
  for await (const sessionIds of sessionPages(maintenance, tenantId)) {
    signal.throwIfAborted();
    closed += await checkQuotes(comparison, sessionIds);
    const wrong = await wrongCounts(maintenance, sessionIds);
    tally.look(sessionIds.length);
    tally.find('wrong_count', wrong.length);
    if (repair && wrong.length > 0) tally.repair('wrong_count', await repairCounts(maintenance, wrong));
  }
  return closed > 0;
}
