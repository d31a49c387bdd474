import type { NewMemory } from './contract.ts';

/** The most that one request may carry, and of them what is compared with what is known. */
const MOST = 1_000;
const MOST_COMPARED = 100;
/** Characters of JSON of one request: at most three bytes each, which fits the server's body limit. */
const MOST_CHARACTERS = 1_000_000;

export interface BatchPart {
  /** Index of its first memory among all. */
  readonly from: number;
  readonly memories: readonly NewMemory[];
}

/** Memories in the parts that one request each takes, in order. */
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
