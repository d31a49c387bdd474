import { chunkText } from '../../domain/chunking.ts';
import { COMPARED_BYTES } from '../../domain/learning/compare.ts';
import type { LearningDraft } from '../../domain/ports/model.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { hasMetAnother } from '../../stores/postgres/connection/database-codes.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { LearningEditor } from '../../stores/postgres/learnings/learning-changes.ts';
import type { CurrentLearning } from '../../stores/postgres/learnings/learning-neighbours.ts';
import { currentIn } from '../../stores/postgres/learnings/learning-successors.ts';
import { lockLearnings, writeLearnings } from '../../stores/postgres/learnings/learning-writes.ts';
import { knownMemory, storeMemories } from '../../stores/postgres/memories/memory-writes.ts';
import type { RememberedMemory, StoredMemory } from '../../stores/postgres/memories/memory-writes.ts';
import { compareDrafts, createEmbedOnce } from './compare-drafts.ts';
import type { Comparison, EmbedOnce, NeighbourDependencies } from './compare-drafts.ts';

/** The user who remembers a memory. */
export interface MemoryGiver extends LearningEditor {
  /** An admin, who may replace other users' learnings. */
  readonly replacesAll: boolean;
}

/** Attempts: others may write during a comparison. */
const COMPARISONS = 3;

function draftOf(memory: RememberedMemory): LearningDraft {
  const { category, title, content, tags, confidence } = memory;
  return { category, title, description: content, context: '', examples: [], tags, confidence, evidence: [] };
}

async function write(
  transaction: TenantTransaction,
  editor: LearningEditor,
  memory: RememberedMemory,
  { ownerId, placed, newest }: Comparison,
  validFrom: Date,
): Promise<StoredMemory | null> {
  const { tenantId, userId, embeddingModel } = editor;
  const { projectId, namespace } = memory;
  const context = {
    tenantId,
    userId,
    projectId,
    namespace,
    ownerId,
    sessionId: null,
    origin: 'user',
    validFrom,
  } as const;
  await lockLearnings(transaction, context, newest);
  const { written, ids } = await writeLearnings(transaction, context, placed);
  await requestEmbeddings(
    transaction,
    tenantId,
    embeddingModel,
    written.map(({ id, title, content }) => ({
      type: 'learning',
      id,
      sessionId: null,
      chunks: chunkText(title, content),
    })),
  );
  const id = ids[0];
  if (id === undefined || id === null) return null;
  // A memory older than what it contradicts is history: the current version is returned.
  return { id: (await currentIn(transaction, id)) ?? id, isNew: written.length > 0 };
}

/**
 * Stores one memory by the rules of extracted learnings: a duplicate raises the known one's confidence and returns it, a refinement becomes
 * its next version, a contradiction closes it. Other users' learnings are not changed, unless an admin writes. Words alone are compared
 * without embedder or vector index and after `signal` aborts. If others keep writing, or the memory is too long for a claim, it is stored
 * unchanged. The caller hints the index.
 */
export async function rememberCompared(
  dependencies: NeighbourDependencies,
  editor: MemoryGiver,
  memory: RememberedMemory,
  signal: AbortSignal,
): Promise<StoredMemory> {
  const { database, embedder } = dependencies;
  const { tenantId, userId } = editor;
  const mayReplace = (learning: CurrentLearning) => editor.replacesAll || learning.userId === editor.userId;
  if (Buffer.byteLength(memory.content, 'utf8') > COMPARED_BYTES) return storeAsItIs(database, editor, memory);
  const known = await database.asTenant(viewOfUser(tenantId, userId), (transaction) =>
    knownMemory(transaction, editor, memory),
  );
  if (known !== null) return { id: known, isNew: false };
  const embed = embedWithin(createEmbedOnce(embedder), signal);
  const { projectId, namespace, ownerId } = memory;
  const scope = { tenantId, projectId, namespace, ownerId };
  const validFrom = memory.occurredAt ?? new Date();
  for (let attempt = 1; attempt <= COMPARISONS; attempt += 1) {
    const drafts = [draftOf(memory)];
    const compared = await compareDrafts(
      dependencies,
      scope,
      drafts,
      [],
      embed,
      signal,
      validFrom.getTime(),
      mayReplace,
    );
    const stored = await unlessChanged(
      database.asTenant(viewOfUser(tenantId, userId), (transaction) =>
        write(transaction, editor, memory, compared, validFrom),
      ),
    );
    if (stored !== null) return stored;
  }
  return storeAsItIs(database, editor, memory);
}

/** Embeds until the signal aborts; then returns no vectors, and words alone are compared. */
function embedWithin(embed: EmbedOnce, signal: AbortSignal): EmbedOnce {
  return async (texts) => {
    try {
      return await embed(texts, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return texts.map(() => null);
    }
  };
}

async function storeAsItIs(
  database: Database,
  editor: LearningEditor,
  memory: RememberedMemory,
): Promise<StoredMemory> {
  const [stored] = await database.asTenant(viewOfUser(editor.tenantId, editor.userId), (transaction) =>
    storeMemories(transaction, editor, [memory]),
  );
  if (stored === undefined) throw new Error('the memory was not stored');
  return stored;
}

/** Returns the result; null if others changed the compared learnings or wrote the same words. */
async function unlessChanged(written: Promise<StoredMemory | null>): Promise<StoredMemory | null> {
  try {
    return await written;
  } catch (error) {
    if (hasMetAnother(error)) return null;
    throw error;
  }
}
