import { repeatsQuery, termsInParts } from '../domain/context/passages.ts';
import { isQuestion } from '../domain/text/questions.ts';
import { contentTermsOf, languageOf } from '../domain/query/understand.ts';
import type { TimeRange } from '../domain/query/time.ts';
import { chancesOf, coverOf, evidenceOf, isRefused } from '../domain/ranking/chance.ts';
import type { Chances } from '../domain/ranking/chance.ts';
import type { RankedMemory } from '../domain/ranking/rank.ts';
import type { Recalled } from './recall.ts';
import type { SearchResult } from './search-types.ts';
import type { UnderstoodQuery } from './understand-query.ts';
import { PROMPT_CHARACTERS } from '../stores/postgres/search/candidates.ts';
import type { MemoryHead } from '../stores/postgres/search/candidates.ts';

/** A candidate between the stages. */
export interface Candidate {
  readonly fused: RankedMemory;
  readonly head: MemoryHead;
  readonly fusedRank: number;
  readonly reranked: number | null;
  readonly inTime: boolean | null;
  readonly score: number;
}

/** Weight of the cross-encoder's score against the fused one, for the candidates that it scored. */
const RERANK_SHARE = 0.7;

/** Below this share of the best relevance a candidate is not meant by "the latest". */
const RELEVANT_SHARE = 0.5;

export interface ScoreRules {
  readonly reranked: ReadonlyMap<string, number> | null;
  readonly time: TimeRange | null;
  readonly timeAlone: boolean;
  readonly timeBonus: number;
  /** 0 if the query does not request the newest, 1 if it requests nothing else. */
  readonly recencyWeight: number;
  /** The query's terms (`termsInParts`). */
  readonly words: ReadonlySet<string>;
}

/** Share of its score that a question with the query's words retains: its answers rank before it. */
const REPEATED = 0.5;

/** Returns true for a user's earlier question that consists of the query's words. */
function isRepeated({ type, kind, beginning }: MemoryHead, words: ReadonlySet<string>): boolean {
  return (
    type === 'prompt' &&
    kind === 'user' &&
    beginning.length < PROMPT_CHARACTERS &&
    isQuestion(beginning) &&
    repeatsQuery(termsInParts(beginning), words)
  );
}

function isIn({ since, until }: TimeRange, at: Date): boolean {
  return (since === null || at >= since) && (until === null || at < until);
}

/** Returns the rank by age: 1 is the newest, 0 the oldest. Absolute ages mean little: a project may be inactive for a year. */
function recencyPlaces(heads: readonly MemoryHead[]): ReadonlyMap<string, number> {
  const byAge = heads.toSorted((a, b) => b.occurredAt.getTime() - a.occurredAt.getTime());
  return new Map(byAge.map((head, place) => [head.id, byAge.length < 2 ? 1 : 1 - place / (byAge.length - 1)]));
}

/**
 * Scores candidates, best first, 0–1, by relevance; ties by age. If the query has a time, memories of that time gain `timeBonus`, or the full
 * range if it has little else; for the newest, only candidates with at least half of the best relevance count.
 */
export function scored(
  entries: readonly { readonly fused: RankedMemory; readonly head: MemoryHead; readonly fusedRank: number }[],
  rules: ScoreRules,
): Candidate[] {
  const { reranked, time, recencyWeight } = rules;
  const best = Math.max(0, ...entries.map(({ fused }) => fused.score));
  const relevant = entries.filter(({ fused }) => recencyWeight === 1 || fused.score >= best * RELEVANT_SHARE);
  const places = recencyWeight > 0 ? recencyPlaces(relevant.map(({ head }) => head)) : null;
  const bonus = rules.timeAlone ? 1 : rules.timeBonus;
  return entries
    .map(({ fused, head, fusedRank }): Candidate => {
      const read = reranked?.get(head.id) ?? null;
      const relevance = reranked === null ? fused.score : (1 - RERANK_SHARE) * fused.score + RERANK_SHARE * (read ?? 0);
      const inTime = time === null ? null : isIn(time, head.occurredAt);
      const timed = inTime === null ? relevance : (relevance + (inTime ? bonus : 0)) / (1 + bonus);
      const dated = places === null ? timed : (1 - recencyWeight) * timed + recencyWeight * (places.get(head.id) ?? 0);
      const score = isRepeated(head, rules.words) ? REPEATED * dated : dated;
      return { fused, head, fusedRank, reranked: read, inTime, score };
    })
    .sort(
      (a, b) =>
        b.score - a.score ||
        b.head.occurredAt.getTime() - a.head.occurredAt.getTime() ||
        a.head.id.localeCompare(b.head.id),
    );
}

/** Returns the best candidate of each session; candidates without a session are separate. */
export function bestOfEachSession(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ head }) => {
    const key = head.sessionId ?? head.id;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * Returns the chances of ranked candidates to be relevant, by the texts of the first results, and whether nothing fits. A query of fields, of
 * a time or for the newest is answered by whatever matches.
 */
export function judged(
  ranked: readonly Candidate[],
  texts: readonly string[],
  { understood, text }: UnderstoodQuery,
  { calibration, hasWords }: Pick<Recalled, 'calibration' | 'hasWords'>,
): Pick<Chances, 'ofRank'> & { readonly nothingFits: boolean } {
  const language = understood?.language ?? languageOf(text);
  const isOpen = understood !== null && (understood.text === '' || understood.timeAlone || understood.newestAlone);
  const cover = isOpen ? 1 : coverOf(understood?.terms ?? contentTermsOf(text), texts);
  const retrievers = ranked.map(({ fused }) => fused.retrievers);
  const evidence = evidenceOf(retrievers, cover, language);
  const chances = chancesOf(hasWords ? evidence : { ...evidence, agreement: null }, calibration);
  const isAnswer = isOpen || ranked.length === 0;
  return { ofRank: chances.ofRank, nothingFits: !isAnswer && isRefused(chances, language, calibration) };
}

function countBy(values: readonly (string | null)[]): Record<string, number> {
  // A map, because a tag may be called `constructor`.
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Counts these memories by type, tool, project and tag. */
export function facetsOf(heads: readonly MemoryHead[]): SearchResult['facets'] {
  return {
    type: countBy(heads.map((head) => head.type)),
    tool: countBy(heads.map((head) => head.tool)),
    project: countBy(heads.map((head) => head.projectName)),
    tag: countBy(heads.flatMap((head) => [...head.tags])),
  };
}
