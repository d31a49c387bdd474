/** A longer line is nobody's words: it is counted and passed over. */
export const LINE_BYTES = 32 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A whole line of a file, without its line feed. */
export interface FileLine {
  readonly bytes: Uint8Array;
  /** Where it begins in the file. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
}

/** The whole lines of a piece of a file that begins at `offset`; what follows the last line feed is left to the caller. */
export function* completeLines(piece: Uint8Array, offset: number): Generator<FileLine> {
  let start = 0;
  for (let feed = piece.indexOf(LINE_FEED); feed >= 0; feed = piece.indexOf(LINE_FEED, start)) {
    yield { bytes: piece.subarray(start, feed), offset: offset + start, end: offset + feed + 1 };
    start = feed + 1;
  }
}

/** Bytes of a piece up to its last line feed, that included; 0 when it has none. */
export function wholeLength(piece: Uint8Array): number {
  return piece.lastIndexOf(LINE_FEED) + 1;
}
