/** Score of one ranked list for one query. Shares are 0 or 1; the figure is their mean over queries. */
export interface ListScore {
  readonly any1: number;
  readonly any5: number;
  readonly any10: number;
  readonly all5: number;
  readonly all10: number;
  readonly ndcg10: number;
  readonly mrr: number;
}

const DEPTH = 10;

/** Returns the gain of a hit at a place, counted from 0. Source: Järvelin and Kekäläinen, TOIS 20(4), 2002, with binary gains. */
function discounted(place: number): number {
  return 1 / Math.log2(place + 2);
}

/** Scores a duplicate-free list, best first, by the set of correct answers. */
export function scoreList(ranked: readonly string[], gold: ReadonlySet<string>): ListScore {
  const isHit = ranked.map((entry) => gold.has(entry));
  const any = (depth: number): number => (isHit.slice(0, depth).includes(true) ? 1 : 0);
  const all = (depth: number): number => (isHit.slice(0, depth).filter(Boolean).length === gold.size ? 1 : 0);
  const gained = isHit.slice(0, DEPTH).reduce((sum, hit, place) => sum + (hit ? discounted(place) : 0), 0);
  const ideal = Array.from({ length: Math.min(DEPTH, gold.size) }, (_, place) => discounted(place));
  const first = isHit.indexOf(true);
  return {
    any1: any(1),
    any5: any(5),
    any10: any(10),
    all5: all(5),
    all10: all(10),
    ndcg10: gained / ideal.reduce((sum, gain) => sum + gain, 0),
    mrr: first < 0 ? 0 : 1 / (first + 1),
  };
}

/** Scores a list of hits, however many correct answers each contains. */
export function scoreHits(isHit: readonly boolean[]): Pick<ListScore, 'any1' | 'any5' | 'any10' | 'mrr'> {
  const { any1, any5, any10, mrr } = scoreList(isHit.map(String), new Set(['true']));
  return { any1, any5, any10, mrr };
}

/** Returns the mean of each figure, with four digits. */
export function meanScores<Score extends object>(scores: readonly Score[]): { readonly [Name in keyof Score]: number };
export function meanScores(scores: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(scores[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const sum = scores.reduce((total, score) => total + (score[name] ?? 0), 0);
      return [name, Math.round((10_000 * sum) / scores.length) / 10_000];
    }),
  );
}
