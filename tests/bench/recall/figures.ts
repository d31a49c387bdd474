/** Result of a part: figures to print, and missed targets. */
export interface RecallFigures {
  readonly skipped?: string;
  /** One line a target that was not reached; absent or empty: all were. */
  readonly missed?: readonly string[];
  readonly [figure: string]: unknown;
}
