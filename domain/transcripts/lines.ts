/** Longer lines are counted and skipped. */
export const LINE_BYTES = 32 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A complete line of a file, without its line feed. */
export interface FileLine {
  readonly bytes: Uint8Array;
  /** Its start in the file. */
  readonly offset: number;
  /** The start of the next one. */
  readonly end: number;
}

/** Yields the complete lines of a piece that starts at `offset`; the caller handles the rest after the last line feed. */
export function* completeLines(piece: Uint8Array, offset: number): Generator<FileLine> {
  let start = 0;
  for (let feed = piece.indexOf(LINE_FEED); feed >= 0; feed = piece.indexOf(LINE_FEED, start)) {
    yield { bytes: piece.subarray(start, feed), offset: offset + start, end: offset + feed + 1 };
    start = feed + 1;
  }
}

/** Returns the number of bytes up to and including the last line feed; 0 without one. */
export function completeLength(piece: Uint8Array): number {
  return piece.lastIndexOf(LINE_FEED) + 1;
}
