import type { RecallHit } from '../domain/ports/vector-index.ts';
import type { WaitingWords } from '../stores/postgres/search/keyword-search.ts';

/** Merges hits of one store, best first; a repeated chunk counts once. */
export function united(answers: readonly (readonly RecallHit[])[]): readonly RecallHit[] {
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return only;
  const best = new Map<string, RecallHit>();
  for (const hit of answers.flat()) {
    const key = `${hit.memoryId} ${hit.chunk}`;
    if ((best.get(key)?.score ?? -Infinity) < hit.score) best.set(key, hit);
  }
  return [...best.values()].sort((a, b) => b.score - a.score);
}

/** Hits of another store: `best` is its full score, `share` the value of that here. */
export interface OtherHits {
  readonly hits: readonly RecallHit[];
  readonly share: number;
  readonly best: number;
}

/**
 * Merges hits of other stores into a retriever's. Scores of two stores are not comparable: another store's full score equals the
 * retriever's best hit, and zero equals `floor`, which counts nothing here. The retriever's own hits retain their score.
 */
export function alongside(
  retriever: readonly RecallHit[],
  floor: number,
  others: readonly OtherHits[],
): readonly RecallHit[] {
  const known = new Set(retriever.map((hit) => hit.memoryId));
  const top = Math.max(retriever[0]?.score ?? 1, floor);
  const added = others.flatMap(({ hits, share, best }) =>
    hits.flatMap((hit): RecallHit[] => {
      if (known.has(hit.memoryId) || best <= 0) return [];
      known.add(hit.memoryId);
      return [{ ...hit, score: floor + (top - floor) * share * Math.min(1, hit.score / best) }];
    }),
  );
  return added.length === 0 ? retriever : [...retriever, ...added].sort((a, b) => b.score - a.score);
}

const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;
const MAX_PAIRS = 40;
/** Chinese question words without content: their neighbours would not be adjacent in an answer. */
const QUESTION_WORDS = /为什么|怎么样|怎么|如何|什么|哪些|哪个|哪里|是否|多少|我们|你们|他们|[吗呢吧的了呀啊]/gu;

/** Splits a query for unindexed texts: scripts without spaces as pairs of neighbours (a single character unchanged), the rest as words. */
export function waitingWords(text: string): WaitingWords {
  const lower = text.toLowerCase();
  const pairs = (lower.replaceAll(QUESTION_WORDS, ' ').match(UNSPACED_RUN) ?? []).flatMap((run) => {
    const characters = Array.from(run);
    return characters.length === 1 ? [run] : characters.slice(1).map((next, n) => `${characters[n] ?? ''}${next}`);
  });
  return { words: lower.replaceAll(UNSPACED_RUN, ' '), pairs: [...new Set(pairs)].slice(0, MAX_PAIRS) };
}
