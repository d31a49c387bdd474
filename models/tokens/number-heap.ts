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
