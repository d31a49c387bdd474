export const CLAUDE_MEM_IMPORT_WORKFLOW = 'claudeMemImport';

/** How far an import is: `ClaudeMemView`. */
export const CLAUDE_MEM_PROGRESS_QUERY = 'progress';
