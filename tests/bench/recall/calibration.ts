import { CERTAIN, MIDDLE } from '../../../domain/ranking/calibration.ts';
import { dataDirectory, option } from '../command-line.ts';
import type { RecallFigures } from '../figures.ts';
import { askCoding, askLongMemEval, fillCodingAndNotes } from './calibration-set.ts';
import type { CalibrationQuery } from './calibration-set.ts';
import { readCodingQuestions } from './coding.ts';
import { calibrationError, chanceOf, fitted, logOddsOf, sumOf } from './logistic.ts';
import { measureOutage, withInstance } from './outage.ts';
import { FOLDS, foldsOf } from './weights.ts';

const LEAST_CHANCES = [0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6];
const TARGETS = { refused: 0.95, lost: 0.03, error: 0.1 } as const;
const rounded = (value: number) => Math.round(1_000 * value) / 1_000;

/** Returns the evidence with the bias, as search weighs it. */
function evidenceOf({ evidence }: CalibrationQuery): readonly number[] {
  const names = ['similarity', 'cover', 'agreement'] as const;
  return [1, ...names.map((name) => 10 * ((evidence[name] ?? MIDDLE[name]) - MIDDLE[name]))];
}

interface Weights {
  readonly fits: readonly number[];
  readonly result: readonly number[];
}

function resultEvidence(query: CalibrationQuery, { fits }: Pick<Weights, 'fits'>, rank: number): readonly number[] {
  const bounded = Math.max(-CERTAIN, Math.min(CERTAIN, logOddsOf(fits, evidenceOf(query))));
  return [1, bounded, Math.log(rank)];
}

/** Fits both steps; related and unrelated queries weigh the same in total. */
function fit(queries: readonly CalibrationQuery[]): Weights {
  const related = queries.filter(({ isRelated }) => isRelated).length;
  const weightOf = ({ isRelated }: CalibrationQuery) => (isRelated ? 1 : related / (queries.length - related));
  const fits = fitted(
    queries.map((query) => ({ evidence: evidenceOf(query), isTrue: query.isRelated, weight: weightOf(query) })),
  );
  const results = queries.flatMap((query) =>
    query.relevant.map((isTrue, place) => ({
      evidence: resultEvidence(query, { fits }, place + 1),
      isTrue,
      weight: weightOf(query),
    })),
  );
  return { fits, result: fitted(results) };
}

interface Judged {
  readonly query: CalibrationQuery;
  readonly fits: number;
  readonly results: readonly { readonly chance: number; readonly isTrue: boolean }[];
}

function judge(query: CalibrationQuery, weights: Weights): Judged {
  return {
    query,
    fits: chanceOf(logOddsOf(weights.fits, evidenceOf(query))),
    results: query.relevant.map((isTrue, place) => ({
      chance: chanceOf(logOddsOf(weights.result, resultEvidence(query, weights, place + 1))),
      isTrue,
    })),
  };
}

const shareOf = <Each>(all: readonly Each[], is: (each: Each) => boolean) =>
  rounded(all.filter(is).length / all.length);

/** Returns the shares of unrelated queries refused and of related ones lost. */
function decisions(judged: readonly Judged[], isRefused: (each: Judged) => boolean) {
  const [related, unrelated] = [true, false].map((is) => judged.filter(({ query }) => query.isRelated === is));
  return { lost: shareOf(related ?? [], isRefused), refused: shareOf(unrelated ?? [], isRefused) };
}

/** Returns the decisions of the server by group. */
function byGroup(queries: readonly CalibrationQuery[]) {
  const groups = Map.groupBy(queries, ({ group, isRelated }) => `${group}${isRelated ? ' (related)' : ''}`);
  return Object.fromEntries(
    [...groups].map(([group, all]) => [group, `${all.filter(({ isRefused }) => isRefused).length}/${all.length}`]),
  );
}

function measured(queries: readonly CalibrationQuery[], outages: object): RecallFigures {
  const folds = foldsOf(queries);
  const byFold = Array.from({ length: FOLDS }, (_, fold) => fit(queries.filter((_query, n) => folds[n] !== fold)));
  const heldOut = queries.flatMap((query, n) => {
    const weights = byFold[folds[n] ?? 0];
    return weights === undefined ? [] : [judge(query, weights)];
  });
  const curve = LEAST_CHANCES.map((least) => ({ least, ...decisions(heldOut, ({ fits }) => fits < least) }));
  const errors = (some: readonly Judged[]) => ({
    fits: rounded(calibrationError(some.map(({ fits, query }) => ({ chance: fits, isTrue: query.isRelated })))),
    first: rounded(calibrationError(some.flatMap(({ results }) => results.slice(0, 1)))),
    firstTen: rounded(calibrationError(some.flatMap(({ results }) => results))),
  });
  const sets = Map.groupBy(heldOut, ({ query }) => query.group.split(',')[0] ?? '');
  const { fits, result } = fit(queries);
  const served = decisions(heldOut, ({ query }) => query.isRefused);
  const { fits: _fits, ...all } = errors(heldOut);
  return {
    queries: queries.length,
    related: sumOf(queries.map(({ isRelated }) => (isRelated ? 1 : 0))),
    weights: { fits: fits.map(rounded), result: result.map(rounded) },
    curve,
    error: errors(heldOut),
    errorBySet: Object.fromEntries([...sets].map(([set, some]) => [set, errors(some)])),
    served: { ...served, refusedByGroup: byGroup(queries) },
    ...outages,
    missed: [
      ...(served.refused < TARGETS.refused ? [`${served.refused} of unrelated queries are refused`] : []),
      ...(served.lost > TARGETS.lost ? [`${served.lost} of related queries are lost`] : []),
      ...Object.entries(all).flatMap(([name, error]) => (error > TARGETS.error ? [`error of ${name} ${error}`] : [])),
    ],
  };
}

/**
 * Fits the chances that search shows (`domain/ranking/calibration.ts`) and cross-validates them, with folds by session: trade-off of refused
 * and lost queries, calibration errors, and the decisions of the server, also without the embedding model and without Weaviate. `--sets
 * coding` leaves LongMemEval out.
 */
export async function runCalibration(): Promise<RecallFigures> {
  if (readCodingQuestions() === null) return { skipped: 'no shared data' };
  const { complete: coding, ...outages } = await measureOutage(
    dataDirectory('coding'),
    async (instance) => {
      await fillCodingAndNotes(instance);
      return askCoding(instance);
    },
    async (instance) => byGroup(await askCoding(instance)),
  );
  const chats = option('sets') === 'coding' ? [] : await withInstance(dataDirectory('longmemeval'), {}, askLongMemEval);
  return measured([...coding, ...chats], outages);
}
