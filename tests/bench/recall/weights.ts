import type { RecallFigures } from '../figures.ts';
import { judgeCoding } from './coding.ts';
import { judgeLongMemEval } from './longmemeval.ts';
import type { JudgedQuery, Variant } from './retrievers.ts';

const STAGES = [
  'plainFusion',
  'againstBest',
  'andKinds',
  'andIntent',
  'andSession',
] as const satisfies readonly Variant[];
const WEIGHTS = [0.3, 0.35, 0.4, 0.45, 0.5];
export const FOLDS = 5;

/** The figure of each stage and weight for one query, and its fold. */
interface Figured {
  readonly fold: number;
  readonly figureOf: (stage: Variant, weight: number) => number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;

/** Returns the number of the fold of each query: queries that share a session share the fold, and folds have similar sizes. */
export function foldsOf(queries: readonly Pick<JudgedQuery<unknown>, 'goldSessions'>[]): readonly number[] {
  const group = queries.map((_, number) => number);
  const ofSession = new Map<string, number>();
  queries.forEach(({ goldSessions }, number) => {
    const joined = new Set(goldSessions.flatMap((session) => ofSession.get(session) ?? []));
    group.forEach((of, each) => {
      if (joined.has(of)) group[each] = number;
    });
    for (const session of goldSessions) ofSession.set(session, number);
    for (const [session, of] of ofSession) if (joined.has(of)) ofSession.set(session, number);
  });
  const sizes = Array.from({ length: FOLDS }, () => 0);
  const foldOf = new Map<number, number>();
  for (const [of, members] of [...Map.groupBy(group, (each) => each)].toSorted((a, b) => b[1].length - a[1].length)) {
    const smallest = sizes.indexOf(Math.min(...sizes));
    sizes[smallest] = (sizes[smallest] ?? 0) + members.length;
    foldOf.set(of, smallest);
  }
  return group.map((of) => foldOf.get(of) ?? 0);
}

function figured<Score>(queries: readonly JudgedQuery<Score>[], figure: (score: Score) => number): readonly Figured[] {
  const folds = foldsOf(queries);
  return queries.map(({ score }, number) => ({
    fold: folds[number] ?? 0,
    figureOf: (stage, weight) => figure(score(stage, weight)),
  }));
}

/** Returns mean and standard deviation over folds. */
function spread(values: readonly number[]): { readonly mean: number; readonly spread: number } {
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return { mean: rounded(middle), spread: rounded(Math.sqrt(variance)) };
}

/**
 * Cross-validates the stages of the ranking over both sets, with folds by session: each fold gets the keyword weight that is best on the
 * others, by the mean of MRR of events (coding) and NDCG@10 (LongMemEval). Returns each stage's figure, and its gain over the previous one.
 */
export async function runWeights(): Promise<RecallFigures> {
  const coding = await judgeCoding();
  const long = await judgeLongMemEval();
  if (coding === null || long === null) return { skipped: 'no shared data' };
  const sets = { coding: figured(coding, ({ mrr }) => mrr), longmemeval: figured(long, ({ ndcg10 }) => ndcg10) };
  const folds = Array.from({ length: FOLDS }, (_, fold) => fold);
  const meanOf = (queries: readonly Figured[], stage: Variant, weight: number): number =>
    mean(queries.map(({ figureOf }) => figureOf(stage, weight)));
  const measured = STAGES.map((stage) => {
    const weights = folds.map((fold) => {
      const others = Object.values(sets).map((queries) => queries.filter((query) => query.fold !== fold));
      const figures = WEIGHTS.map((weight) => mean(others.map((queries) => meanOf(queries, stage, weight))));
      return WEIGHTS[figures.indexOf(Math.max(...figures))] ?? 0;
    });
    const heldOut = (queries: readonly Figured[]): readonly number[] =>
      folds.map((fold) =>
        meanOf(
          queries.filter((query) => query.fold === fold),
          stage,
          weights[fold] ?? 0,
        ),
      );
    return { stage, weights, coding: heldOut(sets.coding), longmemeval: heldOut(sets.longmemeval) };
  });
  const gain = (number: number, set: keyof typeof sets) =>
    spread(folds.map((fold) => (measured[number]?.[set][fold] ?? 0) - (measured[number - 1]?.[set][fold] ?? 0)));
  return Object.fromEntries(
    measured.map(({ stage, weights, ...heldOut }, number) => [
      stage,
      {
        weights,
        coding: spread(heldOut.coding),
        longmemeval: spread(heldOut.longmemeval),
        ...(number > 0 && { gain: { coding: gain(number, 'coding'), longmemeval: gain(number, 'longmemeval') } }),
      },
    ]),
  );
}
