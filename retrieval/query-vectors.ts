import type { Embedder } from '../domain/ports/embedder.ts';

/** 1.5 KB each: a query repeats for its next page, or by the next agent. */
const MAX_QUERIES = 500;

/** Caches the vectors of the latest queries by model. */
export function createQueryVectors(): (embedder: Embedder, query: string) => Promise<Float32Array | undefined> {
  const kept = new Map<string, Float32Array>();
  return async (embedder, query) => {
    const name = `${embedder.model}\u0000${query}`;
    const known = kept.get(name);
    if (known !== undefined) {
      // Moved to the end: the first entry is the least recently used.
      kept.delete(name);
      kept.set(name, known);
      return known;
    }
    const [vector] = await embedder.embed([query], 'query');
    if (vector !== undefined) {
      kept.set(name, vector);
      const [oldest] = kept.keys();
      if (kept.size > MAX_QUERIES && oldest !== undefined) kept.delete(oldest);
    }
    return vector;
  };
}
