import { DatabaseSync } from 'node:sqlite';

/** Generations of claude-mem's schema that differ in what an import reads. */
export const GENERATIONS = [4, 16, 22, 33, 49] as const;
export type Generation = (typeof GENERATIONS)[number];

/** Columns of each table by the version that brought them; `old>new` was renamed at version 17. */
const COLUMNS: Readonly<Record<string, readonly (readonly [version: number, ...names: string[]])[]>> = {
  sdk_sessions: [
    [4, 'claude_session_id>content_session_id', 'sdk_session_id>memory_session_id', 'project', 'user_prompt'],
    [4, 'started_at', 'started_at_epoch', 'completed_at', 'completed_at_epoch', 'status'],
    [33, 'custom_title', 'platform_source'],
  ],
  observations: [
    [4, 'sdk_session_id>memory_session_id', 'project', 'text', 'type', 'created_at', 'created_at_epoch'],
    [16, 'title', 'subtitle', 'facts', 'narrative', 'concepts', 'files_read', 'files_modified', 'prompt_number'],
    [16, 'discovery_tokens'],
    [22, 'content_hash'],
    [33, 'generated_by_model', 'agent_type', 'agent_id', 'metadata', 'merged_into_project'],
  ],
  session_summaries: [
    [4, 'sdk_session_id>memory_session_id', 'project', 'request', 'investigated', 'learned', 'completed', 'next_steps'],
    [4, 'notes', 'files_read', 'files_edited', 'prompt_number', 'created_at', 'created_at_epoch'],
    [16, 'discovery_tokens'],
    [33, 'merged_into_project'],
  ],
  user_prompts: [
    [16, 'claude_session_id>content_session_id', 'prompt_number', 'prompt_text', 'created_at', 'created_at_epoch'],
    [49, 'session_db_id'],
  ],
  pending_messages: [
    [16, 'session_db_id', 'claude_session_id>content_session_id', 'message_type', 'tool_name', 'tool_input'],
    [16, 'tool_response', 'cwd', 'last_assistant_message', 'prompt_number', 'status', 'created_at_epoch'],
    [49, 'tool_use_id', 'agent_type', 'agent_id'],
  ],
};

type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface ClaudeMemDatabase {
  /** Adds rows of a table; columns that this generation does not have yet are left out. Names are those of today. */
  insert(table: string, rows: Iterable<Row>): void;
  exec(sql: string): void;
  close(): void;
}

function columnsOf(table: string, generation: Generation): { readonly today: string; readonly name: string }[] {
  return (COLUMNS[table] ?? [])
    .filter(([version]) => version <= generation)
    .flatMap(([, ...names]) => names)
    .map((name) => {
      const [before = name, after = name] = name.split('>');
      return { today: after, name: generation < 17 ? before : after };
    });
}

/** Creates an empty claude-mem database of that version with a write-ahead log. */
export function buildClaudeMem(file: string, generation: Generation, made = file): ClaudeMemDatabase {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  database.exec(
    'CREATE TABLE schema_versions (id INTEGER PRIMARY KEY, version INTEGER UNIQUE NOT NULL, applied_at TEXT NOT NULL)',
  );
  database.prepare('INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)').run(4, made);
  if (generation > 4)
    database.prepare('INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)').run(generation, 'later');
  for (const table of Object.keys(COLUMNS)) {
    const columns = columnsOf(table, generation).map(({ name }) => name);
    if (columns.length === 0) continue;
    database.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY AUTOINCREMENT, ${columns.join(', ')})`);
    for (const name of columns.filter((column) => column.endsWith('session_id') || column === 'created_at_epoch'))
      database.exec(`CREATE INDEX ${table}_${name} ON ${table} (${name})`);
  }
  return {
    insert(table, rows) {
      const columns = columnsOf(table, generation);
      if (columns.length === 0) return;
      const statement = database.prepare(
        `INSERT INTO ${table} (id, ${columns.map(({ name }) => name).join(', ')}) VALUES (?${', ?'.repeat(columns.length)})`,
      );
      database.exec('BEGIN');
      for (const row of rows) statement.run(row['id'] ?? null, ...columns.map(({ today }) => row[today] ?? null));
      database.exec('COMMIT');
    },
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
  };
}
