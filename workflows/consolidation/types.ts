/** Results of one run over all tenants. */
export interface ConsolidationResult {
  /** Projects (with their namespaces) read. */
  readonly scopes: number;
  /** Learnings closed as duplicates. */
  readonly duplicates: number;
  /** Learnings closed because another one refines or contradicts them. */
  readonly superseded: number;
  /** Learnings whose use or confidence was decayed. */
  readonly decayed: number;
  /** Deleted entities without references, and relations without evidence. */
  readonly pruned: number;
}

export interface ConsolidationActivities {
  consolidate(): Promise<ConsolidationResult>;
}
