import { chunkText } from '../../domain/chunking.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import { stillUntracked, untrackedMemories } from '../../stores/postgres/consistency/untracked.ts';
import type { UntrackedMemory } from '../../stores/postgres/consistency/untracked.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import type { Comparison } from './dependencies.ts';
import { Suspects } from './suspects.ts';

/** Counts memories that the ledger of the served index was never asked for, and asks. Answers whether the index has something to do. */
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
    signal.throwIfAborted();
    await suspects.add(page);
  }
  await suspects.settle();
  return hasWork;
}
