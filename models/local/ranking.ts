import { overlap } from '../../domain/text/terms.ts';
import { centrality } from './centrality.ts';
import { hasCue, isQuestion, isThin } from './learnings/cues.ts';
import type { Sentence } from './segments.ts';

/** A sentence with its worth in a summary. */
interface Scored extends Sentence {
  readonly score: number;
}

/** Weight of repetition when the next sentence is chosen. */
const DIVERSITY = 0.6;
/** Candidates of the selection, so that it is linear in the window. */
const MAX_CANDIDATES = 400;
/** Texts with this overlap are one statement. */
const SAME_STATEMENT = 0.75;

/** Scores sentences: 0.35 lexical centrality + cues + speaker and position + length, minus narration and questions. Weights set by reading summaries of real sessions. */
export function scored(sentences: readonly Sentence[]): readonly Scored[] {
  const central = centrality(sentences.map((sentence) => sentence.terms));
  const lastRow = sentences.at(-1)?.rowIndex ?? 0;
  return sentences.map((sentence, index) => ({
    ...sentence,
    score: 0.35 * (central[index] ?? 0) + cueScore(sentence) + speakerScore(sentence, lastRow) + shapeScore(sentence),
  }));
}

function cueScore({ text, stated }: Sentence): number {
  let score = 0;
  if (hasCue(text, 'cause')) score += 0.35;
  if (hasCue(text, 'fix')) score += 0.2;
  if (stated === 'decision') score += 0.3;
  if (hasCue(text, 'rule')) score += 0.15;
  if (hasCue(text, 'done')) score += 0.25;
  if (hasCue(text, 'security')) score += 0.2;
  if (hasCue(text, 'label')) score += 0.3;
  if (hasCue(text, 'hedge')) score -= 0.1;
  if (hasCue(text, 'narration')) score -= 0.6;
  if (hasCue(text, 'apology')) score -= 0.4;
  if (/^nothing (?:is|was|has)\b/iu.test(text)) score -= 0.4;
  if (isQuestion(text)) score -= 0.4;
  if (isThin(text)) score -= 0.5;
  return score;
}

function speakerScore(sentence: Sentence, lastRow: number): number {
  if (sentence.row.type === 'user') return isOrder(sentence.text) ? -0.1 : 0.1;
  if (sentence.row.type !== 'assistant') return 0.05;
  // The end of the assistant's last message is its own summary.
  return 0.1 + (sentence.rowIndex === lastRow ? 0.15 : 0) + 0.1 * sentence.place;
}

/** Returns true for one-time requests; the summary quotes one such sentence anyway. */
function isOrder(text: string): boolean {
  return hasCue(text, 'goal') && !hasCue(text, 'rule') && !hasCue(text, 'label') && !hasCue(text, 'reason');
}

function shapeScore({ text, fragment, terms }: Sentence): number {
  let score = 0;
  if (fragment) score -= 0.15;
  if (terms.length < 4) score -= 0.2;
  if (text.length > 280) score -= 0.2;
  if (/[:：]$/u.test(text)) score -= 0.4;
  if (/^\p{Ll}/u.test(text)) score -= 0.15;
  if (/^[([]/u.test(text)) score -= 0.4;
  if (/^(?:this|that|it|these|those|they|which)\b/iu.test(text)) score -= 0.15;
  return score;
}

/**
 * Returns the best `count` items without repetition (maximal marginal relevance), best first. Ties are in reading order. Deterministic.
 *
 * @see Carbonell and Goldstein, "The Use of MMR", SIGIR 1998
 */
export function diverse<Item extends { readonly score: number; readonly terms: readonly string[] }>(
  items: readonly Item[],
  count: number,
  minScore = Number.NEGATIVE_INFINITY,
): readonly Item[] {
  const pool = items
    .map((item, index) => ({ item, index, nearest: 0 }))
    .filter(({ item }) => item.score >= minScore)
    .sort((a, b) => b.item.score - a.item.score || a.index - b.index)
    .slice(0, MAX_CANDIDATES);
  const chosen: Item[] = [];
  while (chosen.length < count && pool.length > 0) {
    const best = pool.reduce((top, entry) => (worth(entry) > worth(top) ? entry : top));
    pool.splice(pool.indexOf(best), 1);
    if (best.nearest >= SAME_STATEMENT) continue;
    chosen.push(best.item);
    for (const entry of pool) entry.nearest = Math.max(entry.nearest, overlap(entry.item.terms, best.item.terms));
  }
  return chosen;
}

function worth({ item, nearest }: { readonly item: { readonly score: number }; readonly nearest: number }): number {
  return item.score - DIVERSITY * nearest;
}

/** Returns true if one of the texts is the same statement. */
export function isRepeated(terms: readonly string[], others: readonly (readonly string[])[]): boolean {
  return others.some((other) => overlap(terms, other) >= SAME_STATEMENT);
}
