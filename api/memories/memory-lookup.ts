import { previewOf } from '../../domain/capture/build-event.ts';
import type { Memory } from '../../domain/memory.ts';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import type { Database, TenantRead } from '../../stores/postgres/connection/database.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { readBelieved } from '../../stores/postgres/memories/memory-versions.ts';
import { currentFor } from '../../stores/postgres/learnings/learning-successors.ts';
import { idsNamed } from '../../stores/postgres/memories/memory-names.ts';
import { viewerOf } from '../auth.ts';
import { ApiError } from '../errors.ts';

/** Of a learning that was closed: what stands in its place at all, or its own next versions alone. */
type Follow = 'successors' | 'versions';

/** So often what stands is looked for while others correct it. */
const LOOKS = 4;

/** What each name (an id or a hash) stands for, as far as the asker may see it: several where a hash is ambiguous. */
async function readNamed(
  read: TenantRead,
  names: readonly string[],
  viewerId: string | undefined,
  follow: Follow,
): Promise<ReadonlyMap<string, readonly Memory[]>> {
  const idsOf = await idsNamed(read, names);
  const ids = [...new Set([...idsOf.values()].flat())];
  // An id does not tell of which type it is.
  const readAll = (wanted: readonly string[]) =>
    readMemories(
      read,
      wanted.flatMap((id) => MEMORY_TYPES.map((type) => ({ type, id }))),
      viewerId,
    );
  const memories = new Map((await readAll(ids)).map((memory) => [memory.id, memory]));
  const gone = ids.filter((id) => !memories.has(id));
  let standing = await currentFor(read, gone, follow);
  for (let look = 1; look <= LOOKS; look += 1) {
    for (const memory of standing.size === 0 ? [] : await readAll([...new Set(standing.values())]))
      memories.set(memory.id, memory);
    if ([...standing.values()].every((id) => memories.has(id))) break;
    // What stood a moment ago was corrected meanwhile.
    standing = await currentFor(read, gone, follow);
  }
  return new Map(
    names.map((name) => {
      const found = (idsOf.get(name) ?? []).map((id) => memories.get(id) ?? memories.get(standing.get(id) ?? ''));
      return [name, [...new Set(found.filter((memory) => memory !== undefined))]];
    }),
  );
}

export function noSuchMemory(): ApiError {
  return new ApiError('NOT_FOUND', 'there is no such memory');
}

/** The answer to a hash that several memories bear: it names them all. */
function ambiguous(field: string, candidates: readonly Memory[]): ApiError {
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
  holder: Principal,
  names: readonly string[],
  fieldOf: (place: number) => string,
  follow: Follow = 'successors',
): Promise<readonly (Memory | null)[]> {
  const found = await database.readAsTenant(holder.tenantId, (read) =>
    readNamed(read, names, viewerOf(holder), follow),
  );
  return names.map((name, place) => {
    const memories = found.get(name) ?? [];
    if (memories.length > 1) throw ambiguous(fieldOf(place), memories);
    return memories[0] ?? null;
  });
}

/**
 * The memory that an id or a hash stands for; of a version that was replaced, the one that stands in its place. Who changes something means
 * versions alone: what spoke against a memory is another one. @throws ApiError NOT_FOUND, HASH_AMBIGUOUS
 */
export async function findMemory(
  database: Database,
  holder: Principal,
  name: string,
  field: 'id' | 'hash' | 'anchor',
  follow: Follow = 'successors',
): Promise<Memory> {
  const [memory] = await findMemories(database, holder, [name], () => field, follow);
  if (memory === undefined || memory === null) throw noSuchMemory();
  return memory;
}

/**
 * The same as it was at a time: of a learning the version that was believed then, of anything else itself, if it had happened.
 * @throws ApiError NOT_FOUND, HASH_AMBIGUOUS
 */
export async function findMemoryAsOf(
  database: Database,
  holder: Principal,
  name: string,
  field: 'id' | 'hash',
  asOf: Date,
): Promise<Memory> {
  const ids = await database.readAsTenant(holder.tenantId, (read) => idsNamed(read, [name]));
  const believed = await database.asTenant(holder.tenantId, (transaction) =>
    readBelieved(transaction, ids.get(name) ?? [], asOf),
  );
  if (believed.length > 1) throw ambiguous(field, believed);
  const [version] = believed;
  if (version !== undefined) return version;
  const memory = await findMemory(database, holder, name, field);
  if (memory.type === 'learning' || Date.parse(memory.occurredAt) > asOf.getTime()) throw noSuchMemory();
  return memory;
}
