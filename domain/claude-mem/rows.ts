/** Tables of claude-mem in reading order: sessions before their dependent rows. */
export const CLAUDE_MEM_TABLES = [
  'sdk_sessions',
  'user_prompts',
  'observations',
  'session_summaries',
  'pending_messages',
] as const;
export type ClaudeMemTable = (typeof CLAUDE_MEM_TABLES)[number];

/** The session of a row, joined when read; null if missing. */
interface SessionColumns {
  readonly id: number;
  readonly content_session_id: string | null;
  readonly memory_session_id: string | null;
  readonly platform_source: string | null;
  /** Of the row itself, else of its session. */
  readonly project: string | null;
  readonly session_project: string | null;
  /** Milliseconds since 1970, as all times here. */
  readonly created_at_epoch: number | null;
}

export interface SdkSessionRow extends SessionColumns {
  readonly custom_title: string | null;
  readonly user_prompt: string | null;
  /** 1 if `user_prompts` also contains the first prompt. */
  readonly has_first_prompt: number | null;
  readonly completed_at_epoch: number | null;
  readonly status: string | null;
}

export interface UserPromptRow extends SessionColumns {
  readonly prompt_number: number | null;
  readonly prompt_text: string | null;
}

/** Cost of an observer response, and whether this row carries it. */
interface CostColumns {
  readonly discovery_tokens: number | null;
  readonly bears_cost: number | null;
}

export interface ObservationRow extends SessionColumns, CostColumns {
  readonly text: string | null;
  readonly type: string | null;
  readonly title: string | null;
  readonly subtitle: string | null;
  readonly facts: string | null;
  readonly narrative: string | null;
  readonly concepts: string | null;
  readonly files_read: string | null;
  readonly files_modified: string | null;
  readonly prompt_number: number | null;
  readonly content_hash: string | null;
  readonly generated_by_model: string | null;
  readonly agent_type: string | null;
  readonly agent_id: string | null;
  readonly metadata: string | null;
  readonly merged_into_project: string | null;
}

export interface SessionSummaryRow extends SessionColumns, CostColumns {
  readonly request: string | null;
  readonly investigated: string | null;
  readonly learned: string | null;
  readonly completed: string | null;
  readonly next_steps: string | null;
  readonly notes: string | null;
  readonly files_read: string | null;
  readonly files_edited: string | null;
  readonly prompt_number: number | null;
  readonly merged_into_project: string | null;
}

export interface PendingMessageRow extends SessionColumns {
  readonly message_type: string | null;
  readonly tool_name: string | null;
  readonly tool_input: string | null;
  readonly tool_response: string | null;
  readonly tool_use_id: string | null;
  readonly last_assistant_message: string | null;
  readonly cwd: string | null;
  readonly prompt_number: number | null;
  readonly status: string | null;
  readonly agent_type: string | null;
  readonly agent_id: string | null;
}

export interface RowsOfTable {
  readonly sdk_sessions: readonly SdkSessionRow[];
  readonly user_prompts: readonly UserPromptRow[];
  readonly observations: readonly ObservationRow[];
  readonly session_summaries: readonly SessionSummaryRow[];
  readonly pending_messages: readonly PendingMessageRow[];
}

export type ClaudeMemRow = RowsOfTable[ClaudeMemTable][number];
export type SessionBoundRow = Pick<
  ClaudeMemRow,
  | 'id'
  | 'content_session_id'
  | 'memory_session_id'
  | 'platform_source'
  | 'project'
  | 'session_project'
  | 'created_at_epoch'
>;

/** Rows of one table. */
export type ClaudeMemRows = {
  readonly [Table in ClaudeMemTable]: { readonly table: Table; readonly rows: RowsOfTable[Table] };
}[ClaudeMemTable];
