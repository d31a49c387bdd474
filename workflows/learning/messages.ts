export const LEARNING_WORKFLOW = 'learning';
