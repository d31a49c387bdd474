import { z } from 'zod';
import type { ClaudeMemRows, ClaudeMemTable, RowsOfTable } from '../../domain/claude-mem/rows.ts';

/** Rows that are read and written in one transaction. Raw messages contain full tool outputs: few of them need the same memory. */
export const PAGE_ROWS: Readonly<Record<ClaudeMemTable, number>> = {
  sdk_sessions: 500,
  user_prompts: 200,
  observations: 1_000,
  session_summaries: 500,
  pending_messages: 20,
};

/** SQLite's columns contain values of any type: a number in a text column is read as its digits, bytes as empty. */
const text = z.preprocess(
  (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? String(value) : typeof value === 'string' ? value : null,
  z.string().nullable(),
);
const number = z.preprocess((value) => {
  const given = typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : value;
  return typeof given === 'number' && Number.isFinite(given) ? given : null;
}, z.number().nullable());

const bound = {
  id: z.number().int(),
  content_session_id: text,
  memory_session_id: text,
  platform_source: text,
  project: text,
  session_project: text,
  created_at_epoch: number,
};

const ROW_SCHEMAS: { readonly [Table in ClaudeMemTable]: z.ZodType<RowsOfTable[Table][number]> } = {
  sdk_sessions: z.object({
    ...bound,
    custom_title: text,
    user_prompt: text,
    has_first_prompt: number,
    completed_at_epoch: number,
    status: text,
  }),
  user_prompts: z.object({ ...bound, prompt_number: number, prompt_text: text }),
  observations: z.object({
    ...bound,
    discovery_tokens: number,
    bears_cost: number,
    text,
    type: text,
    title: text,
    subtitle: text,
    facts: text,
    narrative: text,
    concepts: text,
    files_read: text,
    files_modified: text,
    prompt_number: number,
    content_hash: text,
    generated_by_model: text,
    agent_type: text,
    agent_id: text,
    metadata: text,
    merged_into_project: text,
  }),
  session_summaries: z.object({
    ...bound,
    discovery_tokens: number,
    bears_cost: number,
    request: text,
    investigated: text,
    learned: text,
    completed: text,
    next_steps: text,
    notes: text,
    files_read: text,
    files_edited: text,
    prompt_number: number,
    merged_into_project: text,
  }),
  pending_messages: z.object({
    ...bound,
    message_type: text,
    tool_name: text,
    tool_input: text,
    tool_response: text,
    tool_use_id: text,
    last_assistant_message: text,
    cwd: text,
    prompt_number: number,
    status: text,
    agent_type: text,
    agent_id: text,
  }),
};

/** Rows of a table as the mapping reads them. @throws z.ZodError for an invalid row, for example one without an id */
export function parseRows(table: ClaudeMemTable, rows: readonly unknown[]): ClaudeMemRows {
  switch (table) {
    case 'sdk_sessions':
      return { table, rows: rows.map((row) => ROW_SCHEMAS.sdk_sessions.parse(row)) };
    case 'user_prompts':
      return { table, rows: rows.map((row) => ROW_SCHEMAS.user_prompts.parse(row)) };
    case 'observations':
      return { table, rows: rows.map((row) => ROW_SCHEMAS.observations.parse(row)) };
    case 'session_summaries':
      return { table, rows: rows.map((row) => ROW_SCHEMAS.session_summaries.parse(row)) };
    case 'pending_messages':
      return { table, rows: rows.map((row) => ROW_SCHEMAS.pending_messages.parse(row)) };
  }
}
