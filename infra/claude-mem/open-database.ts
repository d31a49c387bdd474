/** Re-exports the claude-mem database for commands, which may not import stores. */
export { FIRST_PAGE, openClaudeMem } from '../../stores/claude-mem/source.ts';
export type { ClaudeMemSource } from '../../stores/claude-mem/source.ts';
export { ClaudeMemSourceError } from '../../stores/claude-mem/copy-source.ts';
export { PAGE_ROWS } from '../../stores/claude-mem/row-schemas.ts';
