/** A database of claude-mem for who sends it to a server: commands reach stores through infra alone. */
export { FIRST_PAGE, openClaudeMem } from '../../stores/claude-mem/source.ts';
export type { ClaudeMemSource } from '../../stores/claude-mem/source.ts';
export { ClaudeMemSourceError } from '../../stores/claude-mem/copy-source.ts';
export { PAGE_ROWS } from '../../stores/claude-mem/page-rows.ts';
