import type { NewMemory } from './contract.ts';

/** Maximum memories of one request, and maximum with `infer` among them. */
const MOST = 1_000;
const MOST_COMPARED = 100;
/** Characters of JSON of one request: at most three bytes each, which fits the server's body limit. */
const MOST_CHARACTERS = 1_000_000;

export interface BatchPart {
  /** Index of the part's first memory among all. */
  readonly from: number;
  readonly memories: readonly NewMemory[];
}

/** Splits memories into one part per request, in order. */
export function batchParts(memories: readonly NewMemory[]): BatchPart[] {
  const parts: BatchPart[] = [];
  let from = 0;
  let characters = 0;
  let compared = 0;
  for (const [index, memory] of memories.entries()) {
    const size = JSON.stringify(memory).length;
    const isFull = index - from === MOST || characters + size > MOST_CHARACTERS || compared === MOST_COMPARED;
    if (index > from && isFull) {
      parts.push({ from, memories: memories.slice(from, index) });
      from = index;
      characters = 0;
      compared = 0;
    }
    characters += size;
    if (memory.infer === true) compared += 1;
  }
  if (from < memories.length) parts.push({ from, memories: memories.slice(from) });
  return parts;
}
