import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { CLAUDE_MEM_TABLES } from '../../domain/claude-mem/rows.ts';
import type { ClaudeMemTable } from '../../domain/claude-mem/rows.ts';
import { selectOf } from './columns.ts';
import type { Columns } from './columns.ts';
import { ClaudeMemSourceError, copySource } from './copy-source.ts';

/** Rows of a table after an id, in the order of their ids. */
export interface SourcePage {
  readonly rows: readonly Record<string, unknown>[];
  /** Number of rows between both ends, counted by the database itself. */
  readonly source_rows: number;
  /** Start of the next page; null on the last page. */
  readonly nextAfter: number | null;
}

/** A database of claude-mem, as it was when it was opened. */
export interface ClaudeMemSource {
  /** Fingerprint of the database, independent of its name and place: 32 hex digits. */
  readonly fingerprint: string;
  /** Newest of its schema versions; 0 where none is noted. */
  readonly schemaVersion: number;
  /** Rows of each table. */
  readonly totals: Readonly<Record<ClaudeMemTable, number>>;
  page(table: ClaudeMemTable, after: number, limit: number): SourcePage;
  close(): Promise<void>;
}

const FINGERPRINT_CHARS = 32;
const EARLIEST = Number.MIN_SAFE_INTEGER;
const LATEST = Number.MAX_SAFE_INTEGER;

const counted = z.object({ n: z.number() });
const first = z.record(z.string(), z.unknown());
const idRow = z.object({ id: z.number() });

function columnsOf(database: DatabaseSync): Columns {
  const tables = z
    .array(z.object({ name: z.string() }))
    .parse(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all());
  const wanted = new Set<string>([...CLAUDE_MEM_TABLES, 'schema_versions']);
  return new Map(
    tables
      .filter(({ name }) => wanted.has(name))
      .map(({ name }) => {
        const columns = z
          .array(z.object({ name: z.string() }))
          .parse(database.prepare('SELECT name FROM pragma_table_info(?)').all(name));
        return [name, new Set(columns.map((column) => column.name))];
      }),
  );
}

/** Values that were written when the database was created and never changed: its first schema version, and its first session. */
function fingerprintOf(database: DatabaseSync, columns: Columns): string {
  const identity = [
    columns.has('schema_versions')
      ? database.prepare('SELECT version, applied_at FROM schema_versions ORDER BY rowid LIMIT 1').get()
      : undefined,
  ];
  // Without notes the first session identifies the database.
  if (identity[0] === undefined)
    identity.push(database.prepare('SELECT id, started_at_epoch FROM sdk_sessions ORDER BY id LIMIT 1').get());
  const text = JSON.stringify(identity.filter((row) => row !== undefined).map((row) => first.parse({ ...row })));
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, FINGERPRINT_CHARS);
}

function read(database: DatabaseSync): Omit<ClaudeMemSource, 'close'> {
  const columns = columnsOf(database);
  if (!columns.has('sdk_sessions'))
    throw new ClaudeMemSourceError('NO_DATABASE', 'the file is no database of claude-mem');
  const count = (table: ClaudeMemTable, after: number, last: number) =>
    columns.has(table)
      ? counted.parse(database.prepare(`SELECT count(*) AS n FROM ${table} WHERE id > ? AND id <= ?`).get(after, last))
          .n
      : 0;
  const totals = {
    sdk_sessions: count('sdk_sessions', EARLIEST, LATEST),
    user_prompts: count('user_prompts', EARLIEST, LATEST),
    observations: count('observations', EARLIEST, LATEST),
    session_summaries: count('session_summaries', EARLIEST, LATEST),
    pending_messages: count('pending_messages', EARLIEST, LATEST),
  };
  const version = columns.has('schema_versions')
    ? database.prepare('SELECT coalesce(max(version), 0) AS n FROM schema_versions').get()
    : { n: 0 };
  return {
    fingerprint: fingerprintOf(database, columns),
    schemaVersion: counted.parse(version).n,
    totals,
    page(table, after, limit) {
      if (!columns.has(table)) return { rows: [], source_rows: 0, nextAfter: null };
      const rows = database
        .prepare(selectOf(columns, table))
        .all(after, LATEST, limit)
        .map((row) => ({ ...row }));
      const full = rows.length === limit;
      const last = full ? idRow.parse(rows.at(-1)).id : LATEST;
      return { rows, source_rows: count(table, after, last), nextAfter: full ? last : null };
    },
  };
}

/** Start of a table's first page. */
export const FIRST_PAGE = EARLIEST;

/**
 * Opens a database of any version of claude-mem. Reads the file and a -wal beside it, and writes neither. Needs disk space for a temporary
 * copy, which is deleted when the process ends, however it ends.
 * @throws ClaudeMemSourceError
 */
export async function openClaudeMem(file: string): Promise<ClaudeMemSource> {
  const { copy, remove } = await copySource(file);
  let database: DatabaseSync | undefined;
  try {
    await chmod(copy, 0o600);
    // The copy is writable: an unfinished journal is rolled back in it.
    // Loaded here alone: every command of the command line would wait for it.
    const sqlite = await import('node:sqlite');
    database = new sqlite.DatabaseSync(copy);
    database.exec('PRAGMA query_only = 1; PRAGMA temp_store = FILE');
    const source = read(database);
    const opened = database;
    // All files are open. Without names they are deleted with this process, also when it is killed.
    await remove();
    return {
      ...source,
      async close() {
        opened.close();
        await remove();
      },
    };
  } catch (error) {
    database?.close();
    await remove();
    if (error instanceof ClaudeMemSourceError || !(error instanceof Error)) throw error;
    throw new ClaudeMemSourceError('NO_DATABASE', 'the file is not a complete claude-mem database', error);
  }
}
