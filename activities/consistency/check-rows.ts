import { countDangling, dropDangling, sessionsOfQuotesAlone } from '../../stores/postgres/consistency/evidence.ts';
import { repairCounts, wrongCounts, sessionPages } from '../../stores/postgres/consistency/sessions.ts';
import { requestRemoval } from '../../stores/postgres/embeddings/embedding-removal.ts';
import type { Comparison } from './comparison.ts';
import { reportProgress } from '../heartbeat.ts';
import { chunkText } from '../../domain/chunking.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import { stillUntracked, untrackedMemories } from '../../stores/postgres/consistency/untracked.ts';
import type { UntrackedMemory } from '../../stores/postgres/consistency/untracked.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { Suspects } from './suspects.ts';

/** Counts memories that are missing in the ledger of the served index, and requests them. Returns true if chunks were queued for indexing. */
export async function listUntracked(comparison: Comparison, index: IndexModel): Promise<boolean> {
  const { maintenance, database, tenantId, tally, settleMs, signal, repair } = comparison;
  let hasWork = false;
  const look = async (some: readonly UntrackedMemory[]): Promise<void> => {
    const unlisted = await stillUntracked(maintenance, index.name, some);
    const sessionOf = new Map(unlisted.map(({ id, sessionId }) => [id, sessionId]));
    const memories = await database.readAsTenant(tenantId, (read) => readMemories(read, unlisted));
    const wanted = memories
      .map(({ id, type, title, content }) => ({
        id,
        type,
        sessionId: sessionOf.get(id) ?? null,
        chunks: chunkText(title, content),
      }))
      .filter(({ chunks }) => chunks.length > 0);
    tally.find('untracked', wanted.length);
    if (!repair || wanted.length === 0) return;
    await database.asTenant(tenantId, (transaction) => requestEmbeddings(transaction, tenantId, index, wanted));
    tally.repair('untracked', wanted.length);
    hasWork = true;
  };
  const suspects = new Suspects<UntrackedMemory>(settleMs, signal, look);
  for await (const page of untrackedMemories(maintenance, tenantId, index.name)) {
    reportProgress(signal);
    await suspects.add(page);
  }
  await suspects.settle();
  return hasWork;
}

/** Repairs quotes of missing rows in these sessions; returns the number of learnings closed by that. */
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
 * Checks PostgreSQL alone: quotes of missing rows, and wrong counts of sessions, page by page to bound statements and transactions. Returns
 * true if vectors are to be removed.
 */
export async function checkRows(comparison: Comparison): Promise<boolean> {
  const { maintenance, tenantId, tally, repair, signal } = comparison;
  let closed = await checkQuotes(comparison, await sessionsOfQuotesAlone(maintenance, tenantId));
  for await (const sessionIds of sessionPages(maintenance, tenantId)) {
    reportProgress(signal);
    closed += await checkQuotes(comparison, sessionIds);
    const wrong = await wrongCounts(maintenance, sessionIds);
    tally.look(sessionIds.length);
    tally.find('wrong_count', wrong.length);
    if (repair && wrong.length > 0) tally.repair('wrong_count', await repairCounts(maintenance, wrong));
  }
  return closed > 0;
}
