import { overlap } from '../../domain/text/terms.ts';
import { centrality } from './centrality.ts';
import { hasCue, isQuestion, isThin } from './learnings/cues.ts';
import type { Sentence } from './segments.ts';

/** A sentence with what it is worth to a summary. */
interface Scored extends Sentence {
  readonly score: number;
}

/** Weight of what was already said when the next sentence is picked. */
const DIVERSITY = 0.6;
/** Only the best so many compete in the selection, which keeps it linear in the window. */
const MAX_CANDIDATES = 400;
/** Two texts that share this much are one statement. */
const SAME_STATEMENT = 0.75;

/**
 * Scores sentences: 0.35 lexical centrality + cue words + who spoke and when + length, minus narration and questions.
 * The weights were set by reading summaries of real sessions.
 */
export function scored(sentences: readonly Sentence[]): readonly Scored[] {
  const central = centrality(sentences.map((sentence) => sentence.terms));
  const lastRow = sentences.at(-1)?.rowIndex ?? 0;
  return sentences.map((sentence, index) => ({
    ...sentence,
    score:
      0.35 * (central[index] ?? 0) + cueScore(sentence.text) + speakerScore(sentence, lastRow) + shapeScore(sentence),
  }));
}

function cueScore(text: string): number {
  let score = 0;
  if (hasCue(text, 'cause')) score += 0.35;
  if (hasCue(text, 'fix')) score += 0.2;
  if (hasCue(text, 'decision') && hasCue(text, 'reason')) score += 0.3;
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
  // What the assistant says at the end of its last message is its own summary.
  return 0.1 + (sentence.rowIndex === lastRow ? 0.15 : 0) + 0.1 * sentence.place;
}

/** What a user asks for once; the summary quotes one such sentence anyway. */
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
 * The best `count` items that do not repeat each other (maximal marginal relevance), best first. Equal scores keep reading
 * order, so that the same input always gives the same answer.
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

/** True if one of the texts already says this. */
export function alreadySaid(terms: readonly string[], said: readonly (readonly string[])[]): boolean {
  return said.some((other) => overlap(terms, other) >= SAME_STATEMENT);
}
