import type { Embedder } from '../domain/ports/embedder.ts';

/** 1.5 KB each: a query repeats for its next page, or by the next agent. */
const MAX_QUERIES = 500;

/** Caches the vectors of the latest queries by model. */
export function createQueryVectors(): (embedder: Embedder, query: string) => Promise<Float32Array | undefined> {
  const cached = new Map<string, Float32Array>();
  return async (embedder, query) => {
    const name = `${embedder.model}\u0000${query}`;
    const known = cached.get(name);
    if (known !== undefined) {
      // Moved to the end: the first entry is the least recently used.
      cached.delete(name);
      cached.set(name, known);
      return known;
    }
    const [vector] = await embedder.embed([query], 'query');
    if (vector !== undefined) {
      cached.set(name, vector);
      const [oldest] = cached.keys();
      if (cached.size > MAX_QUERIES && oldest !== undefined) cached.delete(oldest);
    }
    return vector;
  };
}
