/** Result of a part: figures to print, and missed targets. */
export interface RecallFigures {
  readonly skipped?: string;
  /** One line per missed target. */
  readonly missed?: readonly string[];
  readonly [figure: string]: unknown;
}
