import type { ClaudeMemDatabase } from './build-database.ts';

/** When the sample's first row was made. */
export const BEGAN = Date.parse('2025-03-01T10:00:00Z');
const at = (minutes: number) => BEGAN + minutes * 60_000;

/** A small history with a row for every import rule. `name` separates the sessions of several databases. */
export function insertSample(database: ClaudeMemDatabase, name: string): void {
  const session = (id: number, more: Readonly<Record<string, string | number | null>>) => ({
    id,
    content_session_id: `${name}-${id}`,
    memory_session_id: `${name}-memory-${id}`,
    project: 'shop',
    platform_source: 'claude',
    user_prompt: 'Make the cart faster',
    started_at_epoch: at(id),
    completed_at_epoch: at(id + 30),
    status: 'completed',
    ...more,
  });
  database.insert('sdk_sessions', [
    session(1, { custom_title: 'The slow cart' }),
    session(2, { platform_source: 'codex', user_prompt: 'Only with the session' }),
    session(3, { user_prompt: '<private>my own affair, quixotic</private>' }),
    session(4, { content_session_id: 'manual-shop', memory_session_id: 'manual-shop', user_prompt: null }),
    session(5, { project: 'observer-sessions' }),
    session(6, { status: 'active', user_prompt: 'What is left over' }),
  ]);
  database.insert('user_prompts', [
    {
      id: 1,
      content_session_id: `${name}-1`,
      session_db_id: 1,
      prompt_number: 1,
      prompt_text: 'Make the cart faster',
      created_at_epoch: at(1),
    },
    {
      id: 2,
      content_session_id: `${name}-1`,
      session_db_id: 1,
      prompt_number: 2,
      prompt_text: 'Now key=AKIAIOSFODNN7EXAMPLE please',
      created_at_epoch: at(2),
    },
    {
      id: 3,
      content_session_id: `${name}-1`,
      session_db_id: 1,
      prompt_number: 3,
      prompt_text: '<private>nothing for you</private>',
      created_at_epoch: at(3),
    },
    {
      id: 4,
      content_session_id: `${name}-6`,
      session_db_id: 6,
      prompt_number: 1,
      prompt_text: 'What is left over',
      created_at_epoch: at(6),
    },
  ]);
  const observed = (id: number, more: Readonly<Record<string, string | number | null>>) => ({
    id,
    memory_session_id: `${name}-memory-1`,
    project: 'shop',
    text: `Legacy words ${id} of the turbocart`,
    type: 'bugfix',
    title: `Finding ${id}`,
    subtitle: 'in short',
    facts: '["a fact","another fact"]',
    narrative: `The turbocart read each price ${id} times <private>hidden thing</private>`,
    concepts: '["performance","gotcha: prices are read once a line, not once a cart"]',
    files_read: '["src/cart.ts"]',
    files_modified: 'src/price.ts',
    prompt_number: 1,
    discovery_tokens: 700,
    created_at_epoch: at(5),
    content_hash: `hash-${id}`,
    generated_by_model: 'claude-haiku',
    agent_type: 'Explore',
    agent_id: 'agent-7',
    metadata: '{"tool":"Edit"}',
    ...more,
  });
  database.insert('observations', [
    observed(1, {}),
    observed(2, { type: 'sorcery' }),
    observed(3, { created_at_epoch: at(9), discovery_tokens: 40 }),
    observed(4, {
      memory_session_id: `${name}-deleted`,
      created_at_epoch: at(11),
      facts: 'a bare string',
      merged_into_project: 'shop-main',
    }),
    observed(5, {
      memory_session_id: 'manual-shop',
      created_at_epoch: at(12),
      title: `Deploy on Tuesdays (${name})`,
      text: 'The warehouse closes on Mondays',
      narrative: 'The warehouse closes on Mondays',
      subtitle: null,
      facts: null,
      concepts: null,
    }),
    observed(6, { memory_session_id: `${name}-memory-5`, project: 'observer-sessions', created_at_epoch: at(13) }),
    observed(7, {
      text: ' ',
      title: null,
      subtitle: null,
      narrative: null,
      facts: '[]',
      concepts: null,
      created_at_epoch: at(14),
    }),
  ]);
  const summed = (id: number, minutes: number, learned: string) => ({
    id,
    memory_session_id: `${name}-memory-1`,
    project: 'shop',
    request: 'A faster cart',
    learned,
    next_steps: 'measure',
    files_edited: '["src/cart.ts"]',
    discovery_tokens: 700,
    created_at_epoch: at(minutes),
  });
  database.insert('session_summaries', [
    summed(1, 5, 'prices were read too often'),
    summed(2, 20, 'prices are cached now'),
    { ...summed(3, 21, 'nothing'), request: '', learned: ' ', next_steps: null },
  ]);
  const pending = (id: number, more: Readonly<Record<string, string | number | null>>) => ({
    id,
    session_db_id: 6,
    content_session_id: `${name}-6`,
    message_type: 'observation',
    tool_name: 'Read',
    tool_input: '{"file_path":"src/left.ts"}',
    tool_response: '{"content":"leftover words"}',
    status: 'pending',
    created_at_epoch: at(8),
    ...more,
  });
  database.insert('pending_messages', [
    pending(1, {}),
    pending(2, { status: 'processed' }),
    pending(3, { tool_name: null, message_type: 'summarize', last_assistant_message: 'All of it is done' }),
    pending(4, { tool_name: null, message_type: 'summarize' }),
  ]);
}
