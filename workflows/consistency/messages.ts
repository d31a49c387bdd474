export const CONSISTENCY_WORKFLOW = 'consistencyRun';
