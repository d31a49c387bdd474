import type { Embedder } from '../domain/ports/embedder.ts';

/** 1.5 KB each: a question is asked again for its next page, or by the next agent. */
const MAX_QUESTIONS = 500;

/** Vectors of questions, the latest ones kept; a question that is asked again costs no run of the model. */
export function createQueryVectors(embedder: Embedder): (question: string) => Promise<Float32Array | undefined> {
  const kept = new Map<string, Float32Array>();
  return async (question) => {
    const known = kept.get(question);
    if (known !== undefined) {
      // Back to the end: the first entry is the one that was asked longest ago.
      kept.delete(question);
      kept.set(question, known);
      return known;
    }
    const [vector] = await embedder.embed([question], 'query');
    if (vector !== undefined) {
      kept.set(question, vector);
      const [oldest] = kept.keys();
      if (kept.size > MAX_QUESTIONS && oldest !== undefined) kept.delete(oldest);
    }
    return vector;
  };
}
