export interface StatisticsResult {
  readonly tenants: number;
  /** Figures that were written down. */
  readonly figures: number;
}

export interface StatisticsActivities {
  /** Stores today's figures of every tenant and of the instance; a second run on the same day replaces them. */
  takeStatistics(): Promise<StatisticsResult>;
}
