import type { Embedder } from '../domain/ports/embedder.ts';

/** 1.5 KB each: a question is asked again for its next page, or by the next agent. */
const MAX_QUESTIONS = 500;

/** Vectors of questions by model, the latest ones kept; a question that is asked again costs no run of the model. */
export function createQueryVectors(): (embedder: Embedder, question: string) => Promise<Float32Array | undefined> {
  const kept = new Map<string, Float32Array>();
  return async (embedder, question) => {
    const name = `${embedder.model}\u0000${question}`;
    const known = kept.get(name);
    if (known !== undefined) {
      // Back to the end: the first entry is the one that was asked longest ago.
      kept.delete(name);
      kept.set(name, known);
      return known;
    }
    const [vector] = await embedder.embed([question], 'query');
    if (vector !== undefined) {
      kept.set(name, vector);
      const [oldest] = kept.keys();
      if (kept.size > MAX_QUESTIONS && oldest !== undefined) kept.delete(oldest);
    }
    return vector;
  };
}
