export interface StatisticsResult {
  readonly tenants: number;
  /** Figures that were written down. */
  readonly figures: number;
}

export interface StatisticsActivities {
  /** Writes down what stands today, of every tenant and of the instance; once more on the same day, the later figures count. */
  takeStatistics(): Promise<StatisticsResult>;
}
