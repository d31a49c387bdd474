export const CLAUDE_MEM_IMPORT_WORKFLOW = 'claudeMemImport';
