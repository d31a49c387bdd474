import { previewOf } from '../../domain/capture/build-event.ts';
import { MEMORY_HASH, memoryHash } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { readIn } from '../../stores/postgres/connection/database.ts';
import type { Database, TenantRead, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { readBelieved } from '../../stores/postgres/memories/memory-versions.ts';
import { currentFor } from '../../stores/postgres/learnings/learning-successors.ts';
import { HIDDEN } from '../../stores/postgres/learnings/learning-list.ts';
import { idsNamed } from '../../stores/postgres/memories/memory-lookups.ts';
import { viewerOf, viewOf } from '../auth.ts';
import { ApiError, existing, noSuch } from '../errors.ts';
import type { z } from 'zod';
import type { memorySchema, MemorySource } from '../../contract/memory.ts';

/** Returns a memory outside of a search: without score and highlights. */
export function presentMemory(memory: Memory): z.output<typeof memorySchema> {
  return {
    id: memory.id,
    hash: memoryHash(memory.id),
    type: memory.type,
    kind: memory.kind,
    title: memory.title,
    content: memory.content,
    preview: previewOf(memory.content),
    score: 0,
    session:
      memory.session === null
        ? null
        : { id: memory.session.id, external_id: memory.session.externalId, title: memory.session.title },
    key: memory.key,
    sources: [...memory.sources],
    project: memory.projectName,
    namespace: memory.namespace,
    tags: [...memory.tags],
    tool: memory.tool,
    occurred_at: memory.occurredAt,
    created_at: memory.createdAt,
    highlights: [],
  };
}

/** Returns a source of a memory. */
export function presentSource(memory: Memory): MemorySource {
  const { id, hash, type, kind, session, preview, occurred_at } = presentMemory(memory);
  return { id, hash, type, kind, session, preview, occurred_at };
}

/** How to resolve a closed learning: to any successor, or only to its own next versions. */
type Follow = 'successors' | 'versions';

/** Attempts to find the current version while others correct it. */
const ATTEMPTS = 4;

/** Returns the memories of each id or hash that are visible to the caller: several if a hash is ambiguous. */
async function readNamed(
  read: TenantRead,
  names: readonly string[],
  viewerId: string | undefined,
  follow: Follow,
): Promise<ReadonlyMap<string, readonly Memory[]>> {
  const idsOf = await idsNamed(read, names);
  const ids = [...new Set([...idsOf.values()].flat())];
  // An id does not reveal its type.
  const readAll = (wanted: readonly string[]) =>
    readMemories(
      read,
      wanted.flatMap((id) => MEMORY_TYPES.map((type) => ({ type, id }))),
      viewerId,
    );
  const memories = new Map((await readAll(ids)).map((memory) => [memory.id, memory]));
  const missing = ids.filter((id) => !memories.has(id));
  let current = await currentFor(read, missing, follow);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    for (const memory of current.size === 0 ? [] : await readAll([...new Set(current.values())]))
      memories.set(memory.id, memory);
    if ([...current.values()].every((id) => memories.has(id))) break;
    // The current version was corrected meanwhile.
    current = await currentFor(read, missing, follow);
  }
  return new Map(
    names.map((name) => {
      const found = (idsOf.get(name) ?? []).map((id) => memories.get(id) ?? memories.get(current.get(id) ?? ''));
      return [name, [...new Set(found.filter((memory) => memory !== undefined))]];
    }),
  );
}

/** The answer to a hash that several memories bear: it names them all. */
function ambiguous(field: string, candidates: readonly Pick<Memory, 'id' | 'type' | 'title' | 'content'>[]): ApiError {
  return new ApiError(
    'HASH_AMBIGUOUS',
    'several memories bear this hash; ask by id',
    candidates.map(({ id, type, title, content }) => ({
      field,
      message: 'is one of several',
      id,
      type,
      preview: previewOf(title === '' ? content : title),
    })),
  );
}

/** The memories that names stand for, null for those that are not there for the asker. @throws ApiError HASH_AMBIGUOUS */
export async function findMemories(
  database: Database,
  principal: Principal,
  names: readonly string[],
  fieldOf: (place: number) => string,
  follow: Follow = 'successors',
): Promise<readonly (Memory | null)[]> {
  const found = await database.readAsTenant(viewOf(principal), (read) =>
    readNamed(read, names, viewerOf(principal), follow),
  );
  return names.map((name, place) => {
    const memories = found.get(name) ?? [];
    if (memories.length > 1) throw ambiguous(fieldOf(place), memories);
    return memories[0] ?? null;
  });
}

/**
 * Returns the memory of an id or a hash; for a replaced version, the current one. Changes follow only versions: a contradicting learning
 * is a different memory. @throws ApiError NOT_FOUND, HASH_AMBIGUOUS
 */
export async function findMemory(
  database: Database,
  principal: Principal,
  name: string,
  field: 'id' | 'hash' | 'anchor',
  follow: Follow = 'successors',
): Promise<Memory> {
  const [memory] = await findMemories(database, principal, [name], () => field, follow);
  return existing(memory, 'memory');
}

/**
 * Returns a memory as of a time: the version of a learning that was current then, another memory if it existed then.
 * @throws ApiError NOT_FOUND, HASH_AMBIGUOUS
 */
export async function findMemoryAsOf(
  database: Database,
  principal: Principal,
  name: string,
  field: 'id' | 'hash',
  asOf: Date,
): Promise<Memory> {
  const ids = await database.readAsTenant(viewOf(principal), (read) => idsNamed(read, [name]));
  const believed = await database.asTenant(viewOf(principal), (transaction) =>
    readBelieved(transaction, ids.get(name) ?? [], asOf),
  );
  if (believed.length > 1) throw ambiguous(field, believed);
  const [version] = believed;
  if (version !== undefined) return version;
  const memory = await findMemory(database, principal, name, field);
  if (memory.type === 'learning' || Date.parse(memory.occurredAt) > asOf.getTime()) throw noSuch('memory');
  return memory;
}

type Candidate = Parameters<typeof ambiguous>[1][number];

/** Returns the id that an id or a hash names; a hash is looked up among `candidatesOf` its possible ids. @throws ApiError HASH_AMBIGUOUS */
async function idNamed(
  transaction: TenantTransaction,
  name: string,
  field: string,
  candidatesOf: (ids: string[]) => Promise<readonly Candidate[]>,
): Promise<string | null> {
  const ids = (await idsNamed(readIn(transaction), [name])).get(name) ?? [];
  if (!MEMORY_HASH.test(name)) return ids[0] ?? null;
  const found = await candidatesOf([...ids]);
  if (found.length > 1) throw ambiguous(field, found);
  return found[0]?.id ?? null;
}

/** Returns the id of the learning with this id or hash, or null if no learning has the hash. An id is not looked up. @throws ApiError HASH_AMBIGUOUS */
export function learningIdOf(transaction: TenantTransaction, name: string, field: string): Promise<string | null> {
  return idNamed(transaction, name, field, async (ids) => {
    const rows = await transaction.learning.findMany({
      where: { id: { in: ids }, OR: [{ reason: null }, { reason: { notIn: HIDDEN } }] },
      select: { id: true, title: true, description: true },
    });
    return rows.map(({ id, title, description }) => ({ id, type: 'learning', title, content: description }));
  });
}

/** Returns the id of the summary, topic or item with this id or hash, as {@link learningIdOf}. @throws ApiError HASH_AMBIGUOUS */
export function summaryIdOf(transaction: TenantTransaction, name: string, field: string): Promise<string | null> {
  return idNamed(transaction, name, field, async (ids) => {
    const rows = await transaction.summary.findMany({
      where: { id: { in: ids } },
      select: { id: true, title: true, content: true },
    });
    return rows.map((row) => ({ ...row, type: 'summary' }));
  });
}
