import type { ClaudeMemTable } from '../../domain/claude-mem/rows.ts';

/** Columns of each existing table of a database. */
export type Columns = ReadonlyMap<string, ReadonlySet<string>>;

/** The first of these names that the table has, as a column of `alias`; NULL where it has none of them. */
function column(columns: Columns, table: string, alias: string, ...names: readonly string[]): string {
  const found = names.find((name) => columns.get(table)?.has(name) === true);
  return found === undefined ? 'NULL' : `${alias}.${found}`;
}

const CONTENT_ID = ['content_session_id', 'claude_session_id'] as const;
const MEMORY_ID = ['memory_session_id', 'sdk_session_id'] as const;

/** Columns that are read as they are named, where the table has them. */
const PLAIN: Readonly<Record<ClaudeMemTable, readonly string[]>> = {
  sdk_sessions: ['custom_title', 'user_prompt', 'completed_at_epoch', 'status'],
  user_prompts: ['prompt_number', 'prompt_text'],
  observations: [
    'text',
    'type',
    'title',
    'subtitle',
    'facts',
    'narrative',
    'concepts',
    'files_read',
    'files_modified',
    'prompt_number',
    'discovery_tokens',
    'content_hash',
    'generated_by_model',
    'agent_type',
    'agent_id',
    'metadata',
    'merged_into_project',
  ],
  session_summaries: [
    'request',
    'investigated',
    'learned',
    'completed',
    'next_steps',
    'notes',
    'files_read',
    'files_edited',
    'prompt_number',
    'discovery_tokens',
    'merged_into_project',
  ],
  pending_messages: [
    'message_type',
    'tool_name',
    'tool_input',
    'tool_response',
    'last_assistant_message',
    'cwd',
    'prompt_number',
    'status',
    'agent_type',
    'agent_id',
  ],
};

/** Returns an SQL expression for the id of a row's session. */
function sessionLookup(columns: Columns, table: ClaudeMemTable): string {
  const own = column(columns, table, 't', 'session_db_id');
  const byContent = column(columns, table, 't', ...CONTENT_ID);
  const byMemory = column(columns, table, 't', ...MEMORY_ID);
  const sessionContent = column(columns, 'sdk_sessions', 'f', ...CONTENT_ID);
  const sessionMemory = column(columns, 'sdk_sessions', 'f', ...MEMORY_ID);
  // Platforms can share a name: the oldest session is the one from before platforms were distinguished.
  const named = (column: string, own: string) =>
    own === 'NULL' || column === 'NULL' ? 'NULL' : `(SELECT min(f.id) FROM sdk_sessions f WHERE ${column} = ${own})`;
  return `coalesce(${own}, ${named(sessionContent, byContent)}, ${named(sessionMemory, byMemory)})`;
}

/** True if the previous row belongs to another response: the cost is counted once per response. */
function bearsCost(columns: Columns, table: ClaudeMemTable): string {
  if (columns.get(table)?.has('discovery_tokens') !== true) return '0';
  if (table === 'observations') {
    const memory = column(columns, table, 't', ...MEMORY_ID);
    return `NOT coalesce(lag(${memory}) OVER line = ${memory} AND lag(t.created_at_epoch) OVER line = t.created_at_epoch AND lag(t.discovery_tokens) OVER line = t.discovery_tokens, 0)`;
  }
  if (columns.get('observations')?.has('discovery_tokens') !== true) return '1';
  const memory = column(columns, table, 't', ...MEMORY_ID);
  const observed = column(columns, 'observations', 'o', ...MEMORY_ID);
  return `NOT EXISTS (SELECT 1 FROM observations o WHERE ${observed} = ${memory} AND o.created_at_epoch = t.created_at_epoch AND o.discovery_tokens = t.discovery_tokens)`;
}

function hasFirstPrompt(columns: Columns): string {
  if (!columns.has('user_prompts')) return '0';
  const content = column(columns, 'sdk_sessions', 't', ...CONTENT_ID);
  const prompted = column(columns, 'user_prompts', 'p', ...CONTENT_ID);
  const owner = column(columns, 'user_prompts', 'p', 'session_db_id');
  return `EXISTS (SELECT 1 FROM user_prompts p WHERE ${prompted} = ${content} AND coalesce(${owner}, t.id) = t.id AND (p.prompt_number = 1 OR p.prompt_text = t.user_prompt))`;
}

/**
 * The query of a table's rows after an id, up to another one, each with its session: parameters are the id to begin after, the last one, how
 * many. The row before the first is read, too, for values that a row shares with it.
 */
export function selectOf(columns: Columns, table: ClaudeMemTable): string {
  const has = (name: string) => columns.get(table)?.has(name) === true;
  const plain = PLAIN[table].map((name) => `${has(name) ? `t.${name}` : 'NULL'} AS ${name}`);
  const time = column(columns, table, 't', 'created_at_epoch', 'started_at_epoch');
  if (table === 'sdk_sessions') {
    return `SELECT t.id, ${column(columns, table, 't', ...CONTENT_ID)} AS content_session_id, ${column(columns, table, 't', ...MEMORY_ID)} AS memory_session_id,
      ${column(columns, table, 't', 'platform_source')} AS platform_source, ${column(columns, table, 't', 'project')} AS project, NULL AS session_project,
      ${column(columns, table, 't', 'started_at_epoch')} AS created_at_epoch, ${plain.join(', ')}, ${hasFirstPrompt(columns)} AS has_first_prompt
      FROM sdk_sessions t WHERE t.id > ?1 AND t.id <= ?2 ORDER BY t.id LIMIT ?3`;
  }
  const cost =
    table === 'observations' || table === 'session_summaries' ? [`${bearsCost(columns, table)} AS bears_cost`] : [];
  const toolUse = table === 'pending_messages' ? [`${column(columns, table, 't', 'tool_use_id')} AS tool_use_id`] : [];
  const earlier = `coalesce((SELECT max(id) FROM ${table} WHERE id <= ?1), ?1)`;
  // Bounded before anything looks along the line: a window would else be laid over all that is left.
  const bounded = `(SELECT * FROM ${table} WHERE id >= ${earlier} AND id <= ?2 ORDER BY id LIMIT ?3 + 1) t`;
  return `WITH line AS (
      SELECT t.id, ${sessionLookup(columns, table)} AS session_db_id, ${column(columns, table, 't', ...CONTENT_ID)} AS own_content, ${column(columns, table, 't', ...MEMORY_ID)} AS own_memory,
        ${column(columns, table, 't', 'project')} AS own_project, ${time} AS created_at_epoch, ${[...plain, ...cost, ...toolUse].join(', ')}
        FROM ${bounded} ${table === 'observations' ? 'WINDOW line AS (ORDER BY t.id)' : ''})
    SELECT line.*, coalesce(${column(columns, 'sdk_sessions', 's', ...CONTENT_ID)}, line.own_content) AS content_session_id, coalesce(line.own_memory, ${column(columns, 'sdk_sessions', 's', ...MEMORY_ID)}) AS memory_session_id,
      ${column(columns, 'sdk_sessions', 's', 'platform_source')} AS platform_source, coalesce(line.own_project, ${column(columns, 'sdk_sessions', 's', 'project')}) AS project,
      ${column(columns, 'sdk_sessions', 's', 'project')} AS session_project
      FROM line LEFT JOIN sdk_sessions s ON s.id = line.session_db_id WHERE line.id > ?1 ORDER BY line.id LIMIT ?3`;
}
