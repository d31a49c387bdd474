import { z } from 'zod';
import type { Memory } from '../../../domain/memory.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { readLearning, readVersions } from '../learnings/learning-list.ts';
import type { LearningVersion, StoredLearning } from '../learnings/learning-list.ts';
import { learningText } from '../learnings/learnings.ts';

function wasValidAt({ validFrom, validTo }: LearningVersion, asOf: Date): boolean {
  return validFrom <= asOf && (validTo === null || validTo > asOf);
}

async function toMemory(transaction: TenantTransaction, learning: StoredLearning): Promise<Memory> {
  const session =
    learning.sessionId === null
      ? null
      : await transaction.session.findFirst({
          where: { id: learning.sessionId, status: { not: 'deleted' } },
          select: { id: true, externalId: true, host: true, title: true },
        });
  return {
    id: learning.id,
    type: 'learning',
    kind: learning.category,
    title: learning.title,
    content: learningText({ ...learning, examples: z.array(z.string()).parse(learning.examples) }),
    tags: learning.tags,
    tool: null,
    session,
    projectId: learning.project?.id ?? null,
    projectName: learning.project?.displayName ?? null,
    namespace: learning.namespace,
    userId: learning.userId,
    isPrivate: learning.visibility === 'private',
    dataClass: null,
    key: null,
    sources: [...new Set(learning.evidence.map((piece) => piece.rowId))],
    importance: learning.confidence,
    useWeight: learning.useWeight,
    occurredAt: learning.validFrom.toISOString(),
    createdAt: learning.createdAt.toISOString(),
  };
}

/** The versions of these learnings that were believed at that time, each once; ids of anything else are left out. */
export async function readBelieved(
  transaction: TenantTransaction,
  ids: readonly string[],
  asOf: Date,
): Promise<readonly Memory[]> {
  const believed = new Set<string>();
  for (const id of ids) {
    const version = (await readVersions(transaction, id)).find((each) => wasValidAt(each, asOf));
    if (version !== undefined) believed.add(version.id);
  }
  const memories: Memory[] = [];
  for (const id of believed) {
    // A memory shows no quotes.
    const learning = await readLearning(transaction, id, undefined);
    if (learning !== null) memories.push(await toMemory(transaction, learning));
  }
  return memories;
}
