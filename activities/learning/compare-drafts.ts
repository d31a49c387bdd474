import type { DataClass } from '../../domain/data-classes.ts';
import { comparedText, toCompared } from '../../domain/learning/compare.ts';
import { placeDrafts } from '../../domain/learning/merge.ts';
import type { ComparedDraft, Neighbour } from '../../domain/learning/merge.ts';
import type { TenantId } from '../../domain/ids.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { Embedder, ServedIndexOf } from '../../domain/ports/embedder.ts';
import type { KnownLearning, LearningDraft, SourceRow } from '../../domain/ports/model.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { termsOf } from '../../domain/text/terms.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import type { Database, TenantView } from '../../stores/postgres/connection/database.ts';
import { newestLearning, readCurrent, wordNeighbours } from '../../stores/postgres/learnings/learning-neighbours.ts';
import type { LearningScope, CurrentLearning } from '../../stores/postgres/learnings/learning-neighbours.ts';
import type { PlacedDraft } from '../../stores/postgres/learnings/learning-writes.ts';
import { memoriesOfObjects } from '../../stores/postgres/search/candidates.ts';

export interface NeighbourDependencies {
  readonly database: Database;
  readonly embedder: Embedder;
  readonly indexOf: ServedIndexOf;
  readonly vectors: VectorIndex;
}

export interface ScopeOfTenant extends LearningScope {
  readonly tenantId: TenantId;
}

/** Returns what a scope may read: private learnings of its owner, if it has one. */
function viewOfScope({ tenantId, ownerId }: ScopeOfTenant): TenantId | TenantView {
  return ownerId === null ? tenantId : viewOfUser(tenantId, ownerId);
}

/** Nearest learnings per text, by vector and again by words: the vector index may lag by minutes, PostgreSQL does not. */
const NEAREST = 8;
/** Words per query: more slow down PostgreSQL's ranking without better results. */
const MAX_WORDS = 24;
/** Known learnings in a model request. */
const MAX_KNOWN = 20;

/** Embeds texts in order; null for each if the embedder is unavailable. */
export async function embedOrNone(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly (Float32Array | null)[]> {
  if (texts.length === 0) return [];
  try {
    return await embedder.embed(texts, 'sentence', signal);
  } catch (error) {
    // Words are compared instead; the consolidation finds duplicates missed by that.
    if (error instanceof EmbedderUnavailable) return texts.map(() => null);
    throw error;
  }
}

/** Embeds each text once: comparisons may be repeated. */
export type EmbedOnce = (texts: readonly string[], signal: AbortSignal) => Promise<readonly (Float32Array | null)[]>;

export function createEmbedOnce(embedder: Embedder): EmbedOnce {
  const known = new Map<string, Float32Array | null>();
  return async (texts, signal) => {
    const fresh = [...new Set(texts)].filter((text) => !known.has(text));
    const vectors = await embedOrNone(embedder, fresh, signal);
    for (const [index, text] of fresh.entries()) known.set(text, vectors[index] ?? null);
    return texts.map((text) => known.get(text) ?? null);
  };
}

/** Returns the ids of the nearest learnings of all vectors, nearest first; none if the vector index is unavailable. */
export async function nearestIds(
  { database, vectors, embedder, indexOf }: NeighbourDependencies,
  { tenantId, projectId, namespace, ownerId }: ScopeOfTenant,
  wanted: readonly (Float32Array | null)[],
  limit = NEAREST,
): Promise<readonly string[]> {
  // Without a project the index would return learnings of every project.
  if (projectId === null) return [];
  const index = await indexOf(tenantId);
  // During a change of the model, vectors are not comparable: words are compared, and the consolidation compares again.
  if (index.embedder.model !== embedder.model) return [];
  try {
    const found = await Promise.all(
      wanted.map(async (vector) =>
        vector === null
          ? []
          : vectors.nearest(
              tenantId,
              index.name,
              vector,
              { types: ['learning'], projectId, namespace, ownerId },
              limit,
            ),
      ),
    );
    const hits = found.flat().toSorted((a, b) => b.score - a.score);
    const objectIds = hits.map((hit) => hit.objectId);
    const memories = await database.readAsTenant(tenantId, (read) => memoriesOfObjects(read, index.name, objectIds));
    return [...new Set(objectIds.flatMap((id) => memories.get(id) ?? []))];
  } catch (error) {
    if (error instanceof VectorIndexUnavailable) return [];
    throw error;
  }
}

function wordsOf(text: string): readonly string[] {
  return [...new Set(termsOf(text))].slice(0, MAX_WORDS);
}

/** A text with the class of the row that it is part of; null for a derived text. */
export interface ClassedText {
  readonly text: string;
  readonly stored: DataClass | null;
}

/** Returns the known learnings of a project that are nearest to the texts, nearest first, at most 20. Texts above the embedder's class are compared by words. */
export async function readKnown(
  dependencies: NeighbourDependencies,
  scope: ScopeOfTenant,
  about: readonly ClassedText[],
  signal: AbortSignal,
): Promise<readonly KnownLearning[]> {
  const { embedder } = dependencies;
  const sent = about.filter(({ text, stored }) => embedder.withholds?.(text, stored) !== true);
  const vectors = await embedOrNone(
    embedder,
    sent.map(({ text }) => text),
    signal,
  );
  const ids = await nearestIds(dependencies, scope, vectors);
  const { byVector, byWords } = await dependencies.database.asTenant(viewOfScope(scope), async (transaction) => ({
    byVector: await readCurrent(transaction, scope, ids),
    byWords: await wordNeighbours(transaction, scope, wordsOf(about.map(({ text }) => text).join(' ')), MAX_KNOWN),
  }));
  const place = new Map(ids.map((id, index) => [id, index]));
  const nearest = byVector.toSorted((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
  return [...new Map([...nearest, ...byWords].map((known) => [known.id, known])).values()]
    .slice(0, MAX_KNOWN)
    .map(({ id, category, title, description }) => ({ id, category, title, description }));
}

/** Placed drafts, the owner of the scope, and its newest learning at the comparison. */
export interface Comparison {
  readonly ownerId: string | null;
  readonly placed: readonly PlacedDraft[];
  readonly newest: string | null;
}

/**
 * Compares drafts of a session or a remembered memory with the learnings of a scope. A draft that cites no rows is dated by `statedAtMs`
 * (milliseconds since 1970), by default the last row. Learnings that the writer may not replace are treated as verified.
 */
export async function compareDrafts(
  dependencies: NeighbourDependencies,
  scope: ScopeOfTenant,
  drafts: readonly LearningDraft[],
  rows: readonly SourceRow[],
  embed: EmbedOnce,
  signal: AbortSignal,
  statedAtMs = newestOf(rows, 0),
  mayReplace: (known: CurrentLearning) => boolean = () => true,
): Promise<Comparison> {
  const own = await embed(drafts.map(comparedText), signal);
  const ids = await nearestIds(dependencies, scope, own);
  const { newest, known } = await dependencies.database.asTenant(viewOfScope(scope), async (transaction) => {
    const before = await newestLearning(transaction, scope);
    const found = new Map<string, CurrentLearning>();
    const proposed = drafts.flatMap(({ relation }) => (relation ? [relation.knownId] : []));
    const near = await readCurrent(transaction, scope, [...new Set([...ids, ...proposed])]);
    for (const learning of near) found.set(learning.id, learning);
    for (const draft of drafts)
      for (const learning of await wordNeighbours(transaction, scope, wordsOf(comparedText(draft)), NEAREST))
        found.set(learning.id, learning);
    return { newest: before, known: [...found.values()] };
  });
  const knownVectors = await embed(known.map(comparedText), signal);
  const neighbours = known.map((learning, index): Neighbour => ({
    id: learning.id,
    text: toCompared(learning, knownVectors[index] ?? null, dependencies.embedder),
    verified: learning.verified || !mayReplace(learning),
    occurredAtMs: learning.occurredAtMs,
  }));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const compared = drafts.map((draft, index): ComparedDraft => {
    const cited = draft.evidence.flatMap(({ rowId }) => byId.get(rowId) ?? []);
    return {
      draft,
      text: toCompared(draft, own[index] ?? null, dependencies.embedder),
      occurredAtMs: newestOf(cited, statedAtMs),
      proven: isProven(cited),
    };
  });
  const placings = placeDrafts(compared, neighbours);
  const placed = compared.map(({ draft, occurredAtMs }, index) => ({
    draft,
    placing: placings[index] ?? { kind: 'new' as const },
    occurredAt: new Date(occurredAtMs),
  }));
  return { ownerId: scope.ownerId, placed, newest };
}

/** Returns the time of the newest row, milliseconds since 1970; `none` without rows. */
function newestOf(rows: readonly SourceRow[], none: number): number {
  return rows.length === 0 ? none : Math.max(...rows.map((row) => Date.parse(row.occurredAt)));
}

/** Returns true if the rows include a failure and a later successful run of the same tool. */
function isProven(cited: readonly SourceRow[]): boolean {
  return cited.some(
    (failed) =>
      failed.type === 'error' &&
      cited.some((row) => row.type === 'tool_result' && row.tool === failed.tool && row.seq > failed.seq),
  );
}
