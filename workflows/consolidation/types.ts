/** What one run did, over all tenants. */
export interface ConsolidationResult {
  /** Projects (with their namespaces) that were looked at. */
  readonly scopes: number;
  /** Learnings that were closed because another one says the same. */
  readonly duplicates: number;
  /** Learnings that another one refines or contradicts, and that were closed for it. */
  readonly superseded: number;
  /** Learnings whose use or confidence was decayed. */
  readonly decayed: number;
  /** Entities that nothing names any more, and relations without evidence, that were taken away. */
  readonly pruned: number;
}

export interface ConsolidationActivities {
  consolidate(): Promise<ConsolidationResult>;
}
