import { NO_RANK } from './rank-table.ts';
import type { RankTable } from './rank-table.ts';

/** A binary heap of plain numbers, smallest first. */
export interface NumberHeap {
  clear(): void;
  /** The caller must not exceed the capacity. */
  push(key: number): void;
  /** Removes and returns the smallest; undefined if empty. */
  pop(): number | undefined;
}

/** Creates a heap of fixed capacity. */
export function createNumberHeap(capacity: number): NumberHeap {
  const heap = new Float64Array(capacity);
  let size = 0;
  return {
    clear() {
      size = 0;
    },
    push(key) {
      let child = size;
      size += 1;
      while (child > 0) {
        const parent = (child - 1) >> 1;
        const above = heap[parent] ?? 0;
        if (above <= key) break;
        heap[child] = above;
        child = parent;
      }
      heap[child] = key;
    },
    pop() {
      if (size === 0) return undefined;
      const top = heap[0];
      size -= 1;
      const key = heap[size] ?? 0;
      let parent = 0;
      for (let child = 1; child < size; child = 2 * parent + 1) {
        if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
        const below = heap[child] ?? 0;
        if (below >= key) break;
        heap[parent] = below;
        parent = child;
      }
      heap[parent] = key;
      return top;
    },
  };
}

/** Byte-pair merging of one piece at a time. Not reentrant: the arrays are reused between calls. */
export interface PieceMerger {
  /** Counts the tokens of `bytes[0..length)`; O(n log n), so that a run of 100,000 equal letters costs no more than prose. */
  count(bytes: Uint8Array, length: number): number;
  /** Returns the bytes of the first `tokens` tokens of the last counted piece. */
  bytesOfFirst(tokens: number): number;
}

/** Positions are below this factor, so that (rank, position) is one exact number that sorts by rank, then leftmost. */
const POSITION_SPAN = 2 ** 24;
/** Larger scratch arrays are released after use: one large input must not cost memory permanently. */
const RETAINED_CAPACITY = 16_384;

interface Scratch {
  readonly capacity: number;
  /** Start of the next part, by start of a part; `length` for the last. */
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** Rank of the part at this start joined with its successor; NO_RANK if they do not merge or the start was merged. */
  readonly joined: Int32Array;
  /** Candidates. Stale ones remain and are recognised by `joined` when they surface. */
  readonly heap: NumberHeap;
}

function scratchFor(capacity: number): Scratch {
  return {
    capacity,
    next: new Int32Array(capacity + 1),
    previous: new Int32Array(capacity + 1),
    joined: new Int32Array(capacity + 1),
    // One candidate per neighbouring pair at the start, and at most two more per merge.
    heap: createNumberHeap(3 * capacity + 1),
  };
}

/** Merges by the ranks of one vocabulary: always the lowest-ranked neighbouring pair, the leftmost of equals. */
export function createPieceMerger(ranks: RankTable): PieceMerger {
  let scratch = scratchFor(256);

  const offer = (bytes: Uint8Array, start: number, length: number): void => {
    const middle = scratch.next[start] ?? length;
    const rank = middle < length ? ranks.rankOf(bytes, start, scratch.next[middle] ?? length) : NO_RANK;
    scratch.joined[start] = rank;
    if (rank !== NO_RANK) scratch.heap.push(rank * POSITION_SPAN + start);
  };

  return {
    count(bytes, length) {
      if (scratch.capacity > RETAINED_CAPACITY && length <= RETAINED_CAPACITY) scratch = scratchFor(RETAINED_CAPACITY);
      if (length > scratch.capacity) scratch = scratchFor(Math.max(length, 2 * scratch.capacity));
      const { next, previous, joined, heap } = scratch;
      next[0] = length;
      if (length === 0) return 0;
      if (ranks.rankOf(bytes, 0, length) !== NO_RANK) return 1;

      heap.clear();
      for (let i = 0; i < length; i += 1) {
        next[i] = i + 1;
        previous[i] = i - 1;
      }
      for (let i = 0; i < length; i += 1) offer(bytes, i, length);

      let parts = length;
      for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
        const start = key % POSITION_SPAN;
        if (joined[start] !== (key - start) / POSITION_SPAN) continue;
        const removed = next[start] ?? length;
        const after = next[removed] ?? length;
        next[start] = after;
        if (after < length) previous[after] = start;
        joined[removed] = NO_RANK;
        parts -= 1;
        offer(bytes, start, length);
        if (start > 0) offer(bytes, previous[start] ?? 0, length);
      }
      return parts;
    },
    bytesOfFirst(tokens) {
      let at = 0;
      for (let i = 0; i < tokens; i += 1) at = scratch.next[at] ?? at;
      return at;
    },
  };
}
