export const CONSOLIDATION_WORKFLOW = 'consolidation';
