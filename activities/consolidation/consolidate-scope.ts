import { comparedText, judge, nearness, toCompared } from '../../domain/learning/compare.ts';
import type { ComparedText } from '../../domain/learning/compare.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import { termsOf } from '../../domain/text/terms.ts';
import {
  closeFor,
  decayLearnings,
  renewFingerprints,
  uncompared,
} from '../../stores/postgres/learnings/consolidation.ts';
import type { ConsolidatedScope } from '../../stores/postgres/learnings/consolidation.ts';
import { readCurrent, wordNeighbours } from '../../stores/postgres/learnings/learning-neighbours.ts';
import type { CurrentLearning } from '../../stores/postgres/learnings/learning-neighbours.ts';
import { CONTRADICTED, DUPLICATE, REFINED } from '../../stores/postgres/learnings/learnings.ts';
import { embedOrNone, nearestIds } from '../learning/compare-drafts.ts';
import type { NeighbourDependencies } from '../learning/compare-drafts.ts';
import { reportProgress } from '../heartbeat.ts';

/** Learnings compared, or decayed, in one step. */
const BATCH = 40;
const DECAY_BATCH = 500;
const NEAREST = 8;
const MAX_WORDS = 24;

export interface ScopeCounts {
  readonly duplicates: number;
  readonly superseded: number;
  readonly decayed: number;
}

interface Compared {
  readonly learning: CurrentLearning;
  readonly text: ComparedText;
}

/** Caches vectors of learnings, which are neighbours of many. */
function createComparer(embedder: Embedder, signal: AbortSignal) {
  const known = new Map<string, ComparedText>();
  return async (learnings: readonly CurrentLearning[]): Promise<readonly Compared[]> => {
    const fresh = learnings.filter((learning) => !known.has(learning.id));
    const vectors = await embedOrNone(embedder, fresh.map(comparedText), signal);
    for (const [index, learning] of fresh.entries())
      known.set(learning.id, toCompared(learning, vectors[index] ?? null, embedder));
    return learnings.flatMap((learning) => {
      const text = known.get(learning.id);
      return text === undefined ? [] : [{ learning, text }];
    });
  };
}

/**
 * Merges the new learnings of a scope with their neighbours by the rules of extraction, then decays all. Compared learnings are marked by
 * their day of decay: a second run finds none.
 */
export async function consolidateScope(
  dependencies: NeighbourDependencies,
  scope: ConsolidatedScope,
  nowMs: number,
  signal: AbortSignal,
): Promise<ScopeCounts> {
  const { database, embedder } = dependencies;
  const compare = createComparer(embedder, signal);
  const counts = { duplicates: 0, superseded: 0, decayed: 0 };
  for (let after: string | null = null, more = true; more;) {
    reportProgress(signal);
    const joined = await joinMoved(dependencies, scope, after, nowMs);
    counts.duplicates += joined.duplicates;
    after = joined.last;
    more = joined.last !== null;
  }
  const nextIds = (after: string | null): Promise<readonly string[]> =>
    database.asTenant(scope.tenantId, (transaction) => uncompared(transaction, scope, after, BATCH));
  for (let ids = await nextIds(null); ids.length > 0; ids = await nextIds(ids.at(-1) ?? null)) {
    reportProgress(signal);
    for (const id of ids) {
      const outcome = await consolidateOne(dependencies, scope, id, compare, nowMs, signal);
      counts.duplicates += outcome.duplicates;
      counts.superseded += outcome.superseded;
    }
  }
  const dayMs = Math.floor(nowMs / 86_400_000) * 86_400_000;
  for (;;) {
    reportProgress(signal);
    const done = await database.asTenant(scope.tenantId, (transaction) =>
      decayLearnings(transaction, scope, dayMs, DECAY_BATCH),
    );
    counts.decayed += done;
    if (done < DECAY_BATCH) return counts;
  }
}

/** Closes duplicates among learnings whose session moved to another project. */
async function joinMoved(
  { database }: NeighbourDependencies,
  scope: ConsolidatedScope,
  after: string | null,
  nowMs: number,
): Promise<{ readonly last: string | null; readonly duplicates: number }> {
  return database.asTenant(scope.tenantId, async (transaction) => {
    const { last, twins } = await renewFingerprints(transaction, scope, after, DECAY_BATCH);
    let duplicates = 0;
    for (const twin of twins)
      if (await closeFor(transaction, { ...twin, reason: DUPLICATE }, new Date(nowMs))) duplicates += 1;
    return { last, duplicates };
  });
}

/** Compares one learning with its neighbours, nearest first, until it is closed. */
async function consolidateOne(
  dependencies: NeighbourDependencies,
  scope: ConsolidatedScope,
  id: string,
  compare: ReturnType<typeof createComparer>,
  nowMs: number,
  signal: AbortSignal,
): Promise<{ readonly duplicates: number; readonly superseded: number }> {
  const { database } = dependencies;
  const counts = { duplicates: 0, superseded: 0 };
  const [learning] = await database.asTenant(scope.tenantId, (transaction) => readCurrent(transaction, scope, [id]));
  if (learning === undefined) return counts;
  const [own] = await compare([learning]);
  if (own === undefined) return counts;
  const ids = await nearestIds(dependencies, scope, [own.text.vector], NEAREST);
  const near = await database.asTenant(scope.tenantId, async (transaction) => {
    const words = [...new Set(termsOf(comparedText(learning)))].slice(0, MAX_WORDS);
    const found = [
      ...(await readCurrent(transaction, scope, ids)),
      ...(await wordNeighbours(transaction, scope, words, NEAREST)),
    ];
    return [...new Map(found.map((each) => [each.id, each])).values()].filter((each) => each.id !== id);
  });
  reportProgress(signal);
  const neighbours = (await compare(near)).toSorted((a, b) => nearness(own.text, b.text) - nearness(own.text, a.text));
  for (const other of neighbours) {
    const closing = closingOf(own, other);
    if (closing === null) continue;
    const closed = await database.asTenant(scope.tenantId, (transaction) =>
      closeFor(transaction, closing, new Date(nowMs)),
    );
    if (!closed) continue;
    if (closing.reason === DUPLICATE) counts.duplicates += 1;
    else counts.superseded += 1;
    if (closing.id === id) break;
  }
  return counts;
}

/**
 * Returns which of two current learnings is closed and why; null if both remain. Verified and remembered learnings are never closed: two
 * similar notes may differ in meaning.
 */
function closingOf(
  left: Compared,
  right: Compared,
): { readonly id: string; readonly keeper: string; readonly reason: string } | null {
  const [earlier, later] = isEarlier(left.learning, right.learning) ? [left, right] : [right, left];
  const verdict = judge(later.text, earlier.text);
  if (verdict === 'new') return null;
  if (verdict === 'same') {
    const [keeper, twin] = isKeeper(earlier.learning, later.learning) ? [earlier, later] : [later, earlier];
    if (isStored(twin.learning)) return null;
    return { id: twin.learning.id, keeper: keeper.learning.id, reason: DUPLICATE };
  }
  if (isStored(earlier.learning)) return null;
  const reason = verdict === 'refines' ? REFINED : CONTRADICTED;
  return { id: earlier.learning.id, keeper: later.learning.id, reason };
}

function isStored({ verified, byHand }: CurrentLearning): boolean {
  return verified || byHand;
}

function isEarlier(left: CurrentLearning, right: CurrentLearning): boolean {
  if (left.occurredAtMs !== right.occurredAtMs) return left.occurredAtMs < right.occurredAtMs;
  return left.id < right.id;
}

/** Returns true if the earlier duplicate is retained: verified before remembered before higher confidence before earlier. */
function isKeeper(earlier: CurrentLearning, later: CurrentLearning): boolean {
  if (earlier.verified !== later.verified) return earlier.verified;
  if (earlier.byHand !== later.byHand) return earlier.byHand;
  return earlier.confidence >= later.confidence;
}
