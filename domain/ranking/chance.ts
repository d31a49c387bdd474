import type { QueryLanguage } from '../query/understand.ts';
import { CERTAIN, DEFAULT_CALIBRATION, MIDDLE } from './calibration.ts';
import type { Calibration } from './calibration.ts';

/** Results whose texts are compared with the query: more of them share its common words by chance. */
export const EVIDENCE_RESULTS = 3;
/** Characters of a text that are compared. */
const TEXT_CHARS = 16_000;
/** Memories of each retriever that should be the same. */
const FIRST = 10;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const WORD_CHARACTER = /[\p{L}\p{N}]/u;

/** Returns true if a lower-case text has a term, at the start of a word: the rest may be an ending. */
function hasTerm(text: string, term: string): boolean {
  const isUnspaced = UNSPACED.test(term);
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1))
    if (isUnspaced || at === 0 || !WORD_CHARACTER.test(text.charAt(at - 1))) return true;
  return false;
}

/** Returns the largest share of the terms (`termsOf`) in one of the texts, 0–1; null without terms. */
export function coverOf(terms: readonly string[], texts: readonly string[]): number | null {
  const distinct = [...new Set(terms)];
  if (distinct.length === 0) return null;
  const shares = texts.map((text) => {
    const lower = text.slice(0, TEXT_CHARS).toLowerCase();
    return distinct.filter((term) => hasTerm(lower, term)).length / distinct.length;
  });
  return Math.max(0, ...shares);
}

/** Score and rank of a memory in the retrievers; null if it was not found. */
interface Ranks {
  readonly keyword: { readonly rank: number } | null;
  readonly vector: { readonly rank: number; readonly score: number } | null;
}

/** Evidence that some memory fits a query, each 0–1; null if unknown. */
export type Evidence = Readonly<Record<keyof typeof MIDDLE, number | null>>;

/** Returns the evidence of the candidates: the highest similarity, and the share of the first ten that both retrievers found. */
export function evidenceOf(candidates: readonly Ranks[], cover: number | null, language: QueryLanguage): Evidence {
  const near = candidates.flatMap(({ vector }) => vector ?? []);
  if (near.length === 0) return { similarity: null, cover, agreement: null };
  const isFirst = (found: { readonly rank: number } | null) => found !== null && found.rank <= FIRST;
  return {
    // The calibrated models know English only: to them all texts of another script are similar.
    similarity: language === 'en' ? near.reduce((top, { score }) => Math.max(top, score), 0) : null,
    cover,
    agreement: candidates.filter(({ keyword, vector }) => isFirst(keyword) && isFirst(vector)).length / FIRST,
  };
}

const chanceOf = (logOdds: number) => 1 / (1 + Math.exp(-logOdds));

/** Chances of a query and its results, each 0–1. */
export interface Chances {
  /** That some memory fits the query. */
  readonly fits: number;
  /** That the result of this rank, from 1, is relevant. Falls with the rank. */
  readonly ofRank: (rank: number) => number;
}

/** Returns the chances by the evidence. Without a calibration of the model its similarity counts as unknown. */
export function chancesOf(evidence: Evidence, calibration: Calibration | null): Chances {
  const { fits, result } = calibration ?? DEFAULT_CALIBRATION;
  const distance = (name: keyof typeof MIDDLE) => 10 * ((evidence[name] ?? MIDDLE[name]) - MIDDLE[name]);
  const similarity = calibration === null ? 0 : distance('similarity');
  const logOdds =
    fits.bias + fits.similarity * similarity + fits.cover * distance('cover') + fits.agreement * distance('agreement');
  const bounded = Math.max(-CERTAIN, Math.min(CERTAIN, logOdds));
  return {
    fits: chanceOf(logOdds),
    ofRank: (rank) => chanceOf(result.bias + result.fits * bounded + result.rank * Math.log(rank)),
  };
}

/**
 * Returns true if nothing fits a query. False in languages and for embedding models that were not calibrated: there a related query could
 * be refused.
 */
export function isRefused({ fits }: Chances, language: QueryLanguage, calibration: Calibration | null): boolean {
  return calibration !== null && (language === 'en' || language === 'zh') && fits < calibration.least;
}
