export interface TokenCounter {
  /** o200k tokens. */
  count(text: string): number;
}
