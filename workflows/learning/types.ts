export interface LearningInput {
  readonly tenantId: string;
  readonly sessionId: string;
}

export interface LearningResult {
  readonly written: number;
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
  /** Vectors of the session that are not written yet. */
  readonly pending: number;
}

export interface LearningActivities {
  extractLearnings(input: LearningInput): Promise<LearningResult>;
}
