import { z } from 'zod';
import { chunkText } from '../../../domain/chunking.ts';
import { newId } from '../../../domain/ids.ts';
import { visibilityOf } from '../../../domain/learning/visibility.ts';
import type { LearningCategory } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';
import { requestEmbeddings } from '../embeddings/embedding-ledger.ts';
import type { LearningEditor } from '../learnings/learning-changes.ts';
import { everyFingerprint, exactFingerprint, learningFingerprint } from '../learnings/learnings.ts';

/** A memory from a user, ready for storage: redacted, its project known. It becomes a learning. */
export interface RememberedMemory {
  readonly content: string;
  /** '' if not given: lists then show the content. */
  readonly title: string;
  readonly tags: readonly string[];
  readonly category: LearningCategory;
  readonly projectId: string | null;
  readonly namespace: string;
  /** Owner of a private memory, who is the editor; null: a shared one. */
  readonly ownerId: string | null;
  /** 0–1 */
  readonly confidence: number;
  /** Time of the event; null: now. The memory is valid from then on. */
  readonly occurredAt: Date | null;
}

export interface StoredMemory {
  readonly id: string;
  /** False: it existed already, under this id. */
  readonly isNew: boolean;
}

/** Under which fingerprints the same words may be known. */
interface Prints {
  /** Fingerprint of its category and words without case and punctuation: extracted learnings with the same words match it. */
  readonly own: Uint8Array;
  /** Fingerprint of the exact text: memories that differ in punctuation only (`x <= 3`, `x >= 3`) are both stored. */
  readonly exact: Uint8Array;
  readonly all: readonly Uint8Array[];
}

function printsOf(memory: RememberedMemory): Prints {
  const { projectId, namespace, ownerId, content: description } = memory;
  const words = { projectId, namespace, ownerId, description };
  const own = learningFingerprint({ ...words, category: memory.category });
  return { own, exact: exactFingerprint(words), all: everyFingerprint(words) };
}

const knownRow = z.object({ n: z.number(), id: z.string() });

/** The current learning with the same text; null if there is none. */
export async function knownMemory(
  transaction: TenantTransaction,
  editor: LearningEditor,
  memory: RememberedMemory,
): Promise<string | null> {
  return (await readKnown(transaction, editor, [memory], [printsOf(memory)], [0])).get(0) ?? null;
}

/** Ids of open learnings that say the same to the letter, by place. */
async function readKnown(
  transaction: TenantTransaction,
  editor: LearningEditor,
  memories: readonly RememberedMemory[],
  prints: readonly Prints[],
  places: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const candidates = places.flatMap((n) => (prints[n]?.all ?? []).map((print) => ({ n, print })));
  const rows = z.array(knownRow).parse(
    await transaction.$queryRaw`
      SELECT DISTINCT ON (given.n) given.n, l.id
        FROM unnest(${candidates.map(({ n }) => n)}::integer[], ${candidates.map(({ print }) => print)}::bytea[]) AS given(n, print)
        JOIN unnest(${places}::integer[], ${places.map((n) => memories[n]?.content ?? '')}::text[]) AS texts(n, content) ON texts.n = given.n
        JOIN learnings l ON l.tenant_id = ${editor.tenantId}::uuid AND l.fingerprint = given.print AND l.valid_to IS NULL AND l.description = texts.content
       ORDER BY given.n, l.id`,
  );
  return new Map(rows.map((row) => [row.n, row.id]));
}

/**
 * Writes the memories at these positions unless a current learning has the same fingerprint; returns the new ids by position. Writes in the order of
 * fingerprints, so that concurrent calls with the same texts do not deadlock.
 */
async function insert(
  transaction: TenantTransaction,
  editor: LearningEditor,
  memories: readonly RememberedMemory[],
  printOf: (place: number) => Uint8Array | undefined,
  places: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (places.length === 0) return new Map();
  const rows = places.flatMap((n) => {
    const memory = memories[n];
    const print = printOf(n);
    return memory === undefined || print === undefined ? [] : [{ n, id: newId(), memory, print }];
  });
  const written = idsOf(
    await transaction.$queryRaw`
      INSERT INTO learnings (id, tenant_id, project_id, user_id, namespace, fingerprint, category, title, description, tags, confidence, occurred_at, valid_from, origin, visibility)
      SELECT v.id, ${editor.tenantId}::uuid, nullif(v.project_id, '')::uuid, ${editor.userId}::uuid, v.namespace, v.fingerprint, v.category, v.title, v.content,
             ARRAY(SELECT jsonb_array_elements_text(v.tags::jsonb)), v.confidence, nullif(v.occurred_at, '')::timestamptz,
             coalesce(nullif(v.occurred_at, '')::timestamptz, date_trunc('milliseconds', now())), 'user', v.visibility
        FROM unnest(
          ${rows.map(({ id }) => id)}::uuid[],
          ${rows.map(({ memory }) => memory.projectId ?? '')}::text[],
          ${rows.map(({ memory }) => memory.namespace)}::text[],
          ${rows.map(({ print }) => print)}::bytea[],
          ${rows.map(({ memory }) => memory.category)}::text[],
          ${rows.map(({ memory }) => memory.title)}::text[],
          ${rows.map(({ memory }) => memory.content)}::text[],
          ${rows.map(({ memory }) => JSON.stringify(memory.tags))}::text[],
          ${rows.map(({ memory }) => memory.confidence)}::real[],
          ${rows.map(({ memory }) => memory.occurredAt?.toISOString() ?? '')}::text[],
          ${rows.map(({ memory }) => visibilityOf(memory.ownerId))}::text[]
        ) AS v(id, project_id, namespace, fingerprint, category, title, content, tags, confidence, occurred_at, visibility)
       ORDER BY v.fingerprint
      ON CONFLICT (tenant_id, fingerprint) WHERE (valid_to IS NULL) DO NOTHING RETURNING id`,
  );
  const ids = new Set(written);
  return new Map(rows.filter((row) => ids.has(row.id)).map((row) => [row.n, row.id]));
}

/** The first place of the same words, for each place: a batch may say a thing twice. */
function firstsOf(memories: readonly RememberedMemory[]): readonly number[] {
  const places = new Map<string, number>();
  return memories.map(({ projectId, namespace, ownerId, content }, n) => {
    const key = [projectId ?? '', namespace, ownerId ?? '', content].join('\u0000');
    const first = places.get(key) ?? n;
    places.set(key, first);
    return first;
  });
}

/**
 * Stores memories verbatim and requests their vectors; returns one entry each, in order. Equal texts (content, project, namespace and owner) are one memory,
 * even if concurrent calls store them. Uses three statements for any number of memories. A forgotten memory may be stored again. The caller
 * hints the index.
 */
export async function storeMemories(
  transaction: TenantTransaction,
  editor: LearningEditor,
  memories: readonly RememberedMemory[],
): Promise<readonly StoredMemory[]> {
  const firsts = firstsOf(memories);
  const places = [...new Set(firsts)];
  const prints = memories.map(printsOf);
  const known = new Map(await readKnown(transaction, editor, memories, prints, places));
  const fresh = new Map<number, string>();
  const missing = () => places.filter((n) => !known.has(n) && !fresh.has(n));
  const note = (found: ReadonlyMap<number, string>, into: Map<number, string>) => {
    for (const [n, id] of found) into.set(n, id);
  };
  note(await insert(transaction, editor, memories, (n) => prints[n]?.own, missing()), fresh);
  if (missing().length > 0) {
    // Written meanwhile by another transaction, or rejected because of equal words.
    note(await readKnown(transaction, editor, memories, prints, missing()), known);
    note(await insert(transaction, editor, memories, (n) => prints[n]?.exact, missing()), fresh);
    note(await readKnown(transaction, editor, memories, prints, missing()), known);
  }
  await requestEmbeddings(
    transaction,
    editor.tenantId,
    editor.embeddingModel,
    [...fresh].map(([n, id]) => {
      const { title = '', content = '' } = memories[n] ?? {};
      return { type: 'learning', id, sessionId: null, chunks: chunkText(title, content) };
    }),
  );
  return firsts.map((first, n) => {
    const id = fresh.get(first) ?? known.get(first);
    if (id === undefined) throw new MemoryLost('a memory that was found before does not exist');
    return { id, isNew: fresh.has(first) && first === n };
  });
}

/** The duplicate of a memory was closed meanwhile: storing must be repeated. Its code marks a conflict. */
export class MemoryLost extends Error {
  override readonly name = 'MemoryLost';
  readonly code = '40001';
}
