export const STATISTICS_WORKFLOW = 'statisticsRun';
