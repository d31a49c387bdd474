/** What a part of the bench answers: numbers to print, and the targets that they miss. */
export interface RecallFigures {
  readonly skipped?: string;
  /** One line a target that was not reached; absent or empty: all were. */
  readonly missed?: readonly string[];
  readonly [figure: string]: unknown;
}
