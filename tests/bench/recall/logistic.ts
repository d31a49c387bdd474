/** A sample with its weight. The first number of `evidence` is 1, for the bias. */
export interface Sample {
  readonly evidence: readonly number[];
  readonly isTrue: boolean;
  readonly weight: number;
}

const ROUNDS = 60;
/** Ridge penalty of all weights but the bias: separable samples have no finite best weights. */
const RIDGE = 0.1;

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
export const logOddsOf = (weights: readonly number[], evidence: readonly number[]): number =>
  sumOf(weights.map((weight, at) => weight * (evidence[at] ?? 0)));
export const chanceOf = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

/** Solves a symmetric positive definite system by elimination. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] {
  const rows = matrix.map((row, at) => [...row, right[at] ?? 0]);
  rows.forEach((pivot, at) => {
    const scale = pivot[at] ?? 1;
    rows.forEach((row, other) => {
      const factor = (row[at] ?? 0) / scale;
      if (other !== at) row.forEach((value, column) => (row[column] = value - factor * (pivot[column] ?? 0)));
    });
  });
  return rows.map((row, at) => (row[right.length] ?? 0) / (row[at] ?? 1));
}

/** Fits a logistic regression with a small ridge by Newton's method; returns its weights, the bias first. Deterministic. */
export function fitted(samples: readonly Sample[]): readonly number[] {
  const size = samples[0]?.evidence.length ?? 0;
  const places = Array.from({ length: size }, (_, at) => at);
  let weights: readonly number[] = places.map(() => 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    const chances = samples.map(({ evidence }) => chanceOf(logOddsOf(weights, evidence)));
    const ridge = places.map((at) => (at === 0 ? 1e-6 : RIDGE));
    const gradient = places.map(
      (at) =>
        sumOf(
          samples.map(
            ({ evidence, isTrue, weight }, n) => weight * ((isTrue ? 1 : 0) - (chances[n] ?? 0)) * (evidence[at] ?? 0),
          ),
        ) -
        (ridge[at] ?? 0) * (weights[at] ?? 0),
    );
    const curvature = places.map((at) =>
      places.map(
        (other) =>
          sumOf(
            samples.map(({ evidence, weight }, n) => {
              const chance = chances[n] ?? 0;
              return weight * chance * (1 - chance) * (evidence[at] ?? 0) * (evidence[other] ?? 0);
            }),
          ) + (at === other ? (ridge[at] ?? 0) : 0),
      ),
    );
    const step = solved(curvature, gradient);
    weights = weights.map((weight, at) => weight + (step[at] ?? 0));
    if (Math.max(...step.map(Math.abs)) < 1e-6) break;
  }
  return weights;
}

/** Returns the expected calibration error: the mean distance of chance and frequency over ten equal ranges, by their sizes (Naeini et al., AAAI 2015). */
export function calibrationError(chances: readonly { readonly chance: number; readonly isTrue: boolean }[]): number {
  const ranges = Map.groupBy(chances, ({ chance }) => Math.min(9, Math.floor(10 * chance)));
  const distances = [...ranges.values()].map((of) =>
    Math.abs(sumOf(of.map(({ chance, isTrue }) => chance - (isTrue ? 1 : 0)))),
  );
  return sumOf(distances) / chances.length;
}
