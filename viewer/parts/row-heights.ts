/** Heights of the rows of a list in px: measured ones, an estimate for the others. Sums in O(log n), for 100,000 rows. */
export class RowHeights {
  readonly #keys: readonly string[];
  readonly #estimate: number;
  readonly #measured: Map<string, number>;
  /** Binary indexed tree (Fenwick 1994). */
  readonly #tree: Float64Array;

  /** `measured`: heights by key, which outlive a change of the rows. */
  constructor(keys: readonly string[], estimate: number, measured: Map<string, number>) {
    this.#keys = keys;
    this.#estimate = estimate;
    this.#measured = measured;
    const tree = new Float64Array(keys.length + 1);
    for (const [index, key] of keys.entries()) {
      const at = index + 1;
      tree[at] = (tree[at] ?? 0) + (measured.get(key) ?? estimate);
      const parent = at + (at & -at);
      if (parent < tree.length) tree[parent] = (tree[parent] ?? 0) + (tree[at] ?? 0);
    }
    this.#tree = tree;
  }

  /** Returns the distance of a row from the top; of the number of rows, the height of the list. */
  top(index: number): number {
    let sum = 0;
    for (let at = Math.min(index, this.#keys.length); at > 0; at -= at & -at) sum += this.#tree[at] ?? 0;
    return sum;
  }

  get total(): number {
    return this.top(this.#keys.length);
  }

  /** Returns the row at a distance from the top, within the list. */
  at(distance: number): number {
    let index = 0;
    let left = distance;
    for (let step = 2 ** Math.floor(Math.log2(Math.max(1, this.#keys.length))); step > 0; step >>= 1) {
      const next = index + step;
      const height = this.#tree[next];
      if (height === undefined || height > left) continue;
      index = next;
      left -= height;
    }
    return Math.max(0, Math.min(index, this.#keys.length - 1));
  }

  /** Records the height of a row. Returns the difference to the height before. */
  measure(index: number, height: number): number {
    const key = this.#keys[index];
    if (key === undefined) return 0;
    const difference = height - (this.#measured.get(key) ?? this.#estimate);
    if (difference === 0) return 0;
    this.#measured.set(key, height);
    for (let at = index + 1; at < this.#tree.length; at += at & -at)
      this.#tree[at] = (this.#tree[at] ?? 0) + difference;
    return difference;
  }
}

export interface ShownRows {
  /** First row to render. */
  readonly from: number;
  /** Row after the last one. */
  readonly to: number;
}

/** Rows beside the visible ones, so that a step of the wheel shows no gap. */
const MARGIN_PX = 400;
const MOST_ROWS = 80;

/** Returns the rows to render for a scroll position. */
export function shownRows(heights: RowHeights, count: number, scrollTop: number, viewport: number): ShownRows {
  if (count === 0) return { from: 0, to: 0 };
  const from = heights.at(Math.max(0, scrollTop - MARGIN_PX));
  const to = Math.min(count, heights.at(scrollTop + viewport + MARGIN_PX) + 1, from + MOST_ROWS);
  return { from, to };
}

/** The row at the top of the viewport, and how far it is scrolled out. */
export interface ReadingPlace {
  readonly key: string;
  readonly offset: number;
}

/** Returns the place that the reader sees; null at the top, where new rows are to appear. */
export function placeAt(heights: RowHeights, keys: readonly string[], scrollTop: number): ReadingPlace | null {
  if (scrollTop <= 0) return null;
  const index = heights.at(scrollTop);
  const key = keys[index];
  return key === undefined ? null : { key, offset: scrollTop - heights.top(index) };
}

/** Returns the scroll position that shows a place again after the rows changed; null if its row is no longer in the list. */
export function scrollTo(heights: RowHeights, keys: readonly string[], place: ReadingPlace): number | null {
  const index = keys.indexOf(place.key);
  return index === -1 ? null : heights.top(index) + place.offset;
}
