/** Probability of following a shared word instead of jumping anywhere. */
const DAMPING = 0.85;
const ITERATIONS = 20;

/**
 * Returns the centrality of each text, 0–1 (the most central is 1).
 *
 * LexRank: PageRank over the graph with dot products of TF-IDF vectors as edge weights, without loops. The graph is never built: its matrix
 * is A·Aᵀ without its diagonal, so a step is two products with the sparse A, and the cost is iterations × words instead of sentences².
 *
 * @see Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", JAIR 22 (2004)
 */
export function centrality(documents: readonly (readonly string[])[]): readonly number[] {
  const vectors = tfIdf(documents);
  const count = documents.length;
  const degrees = throughWords(
    vectors,
    vectors.map(() => 1),
  );
  let scores: readonly number[] = documents.map(() => 1 / count);
  for (let step = 0; step < ITERATIONS; step += 1) {
    const shares = scores.map((score, index) => ratio(score, degrees[index] ?? 0));
    const received = throughWords(vectors, shares);
    scores = received.map((value) => (1 - DAMPING) / count + DAMPING * value);
  }
  const highest = scores.reduce((best, score) => Math.max(best, score), 0);
  return scores.map((score) => ratio(score, highest));
}

type SparseVector = readonly (readonly [word: string, weight: number])[];

function tfIdf(documents: readonly (readonly string[])[]): readonly SparseVector[] {
  const frequency = new Map<string, number>();
  for (const terms of documents) for (const term of new Set(terms)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  return documents.map((terms) => {
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    const weights = [...counts].map(
      ([term, times]) => [term, times * Math.log(1 + documents.length / (frequency.get(term) ?? 1))] as const,
    );
    const length = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight * weight, 0));
    return weights.map(([term, weight]) => [term, ratio(weight, length)] as const);
  });
}

/** Returns A·(Aᵀ·values) without the diagonal: the value that each text receives from the words of all others. */
function throughWords(vectors: readonly SparseVector[], values: readonly number[]): readonly number[] {
  const words = new Map<string, number>();
  vectors.forEach((vector, index) => {
    const value = values[index] ?? 0;
    for (const [word, weight] of vector) words.set(word, (words.get(word) ?? 0) + weight * value);
  });
  return vectors.map((vector, index) => {
    const own = values[index] ?? 0;
    // A text without shared words must not receive its own value.
    const received = vector.reduce((sum, [word, weight]) => sum + weight * ((words.get(word) ?? 0) - weight * own), 0);
    return Math.max(0, received);
  });
}

function ratio(value: number, by: number): number {
  return by === 0 ? 0 : value / by;
}
