import type { ClaudeMemTable } from '../../domain/claude-mem/rows.ts';

/** Rows that are read and written in one transaction. Raw messages contain full tool outputs: few of them need the same memory. */
export const PAGE_ROWS: Readonly<Record<ClaudeMemTable, number>> = {
  sdk_sessions: 500,
  user_prompts: 200,
  observations: 1_000,
  session_summaries: 500,
  pending_messages: 20,
};
