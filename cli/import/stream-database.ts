import { CLAUDE_MEM_REQUESTS } from '../../contract/imports.ts';
import { FIRST_PAGE, PAGE_ROWS } from '../../infra/claude-mem/open-database.ts';
import type { ClaudeMemSource } from '../../infra/claude-mem/open-database.ts';
import type { ImportAnswer, ImportApi, ImportedTable, ConsumedRows } from './import-api.ts';

/** Size of a request; a longer row is sent alone. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const NOTHING_DROPPED = { private: 0, empty: 0, observer: 0, processed: 0, no_event: 0 };

type Rows = NonNullable<ImportAnswer['rows']>;

export interface DatabaseSending {
  readonly api: ImportApi;
  readonly source: ClaudeMemSource;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (rows: Rows) => void;
}

/** Yields rows as chunks of NDJSON. */
function* chunksOf(rows: readonly Record<string, unknown>[]): Generator<Buffer<ArrayBuffer>> {
  let lines: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const line = JSON.stringify(row, (_name, value: unknown) => (value instanceof Uint8Array ? null : value));
    if (lines.length > 0 && chars + line.length > CHUNK_BYTES) {
      yield Buffer.from(lines.join('\n'));
      [lines, chars] = [[], 0];
    }
    lines.push(line);
    chars += line.length;
  }
  if (lines.length > 0) yield Buffer.from(lines.join('\n'));
}

function plus(table: ImportedTable, consumed: ConsumedRows): ImportedTable {
  const { dropped } = table;
  return {
    ...table,
    imported: table.imported + consumed.imported,
    present: table.present + consumed.present,
    refused: table.refused + consumed.refused,
    dropped: {
      private: dropped.private + consumed.dropped.private,
      empty: dropped.empty + consumed.dropped.empty,
      observer: dropped.observer + consumed.dropped.observer,
      processed: dropped.processed + consumed.dropped.processed,
      no_event: dropped.no_event + consumed.dropped.no_event,
    },
  };
}

/** Completes a table: `unaccounted` counts source rows without an outcome and imported rows that the server does not have. */
function accounted(table: ImportedTable, known: number | null): ImportedTable {
  const { source_rows, imported, present, refused, dropped } = table;
  const explained = imported + present + refused + Object.values(dropped).reduce((sum, value) => sum + value, 0);
  const missing = known === null ? 0 : Math.max(0, imported + present - known);
  return { ...table, recorded_rows: known, unaccounted: Math.abs(source_rows - explained) + missing };
}

/** Sends a local database to the server. Rejects with RecollectError; sent rows remain and count as present the next time. */
export async function streamDatabase(
  sending: DatabaseSending,
): Promise<{ readonly rows: Rows; readonly tables: ImportedTable[] }> {
  const { api, source, dryRun, signal, onProgress } = sending;
  const total = Object.values(source.totals).reduce((sum, count) => sum + count, 0);
  let rows: Rows = { total, done: 0, sessions_made: 0, first_prompts: 0 };
  const tables: ImportedTable[] = [];
  for (const name of [
    'sdk_sessions',
    'user_prompts',
    'observations',
    'session_summaries',
    'pending_messages',
  ] as const) {
    let table: ImportedTable = {
      table: name,
      source_rows: 0,
      imported: 0,
      present: 0,
      refused: 0,
      dropped: NOTHING_DROPPED,
      recorded_rows: null,
      unaccounted: 0,
    };
    // The server prepares a chunk while it writes another; sessions and summaries must arrive in order.
    const atOnce = name === 'observations' || name === 'user_prompts' ? CLAUDE_MEM_REQUESTS : 1;
    const sendings = new Set<Promise<void>>();
    const send = async (chunk: Buffer<ArrayBuffer>): Promise<void> => {
      const consumed = await api.sendRows(source.fingerprint, name, dryRun, chunk);
      table = plus(table, consumed);
      rows = {
        total,
        done: rows.done + consumed.rows,
        sessions_made: rows.sessions_made + consumed.sessions_made,
        first_prompts: rows.first_prompts + consumed.first_prompts,
      };
      onProgress(rows);
    };
    try {
      for (let after: number | null = FIRST_PAGE; after !== null;) {
        signal.throwIfAborted();
        const page = source.page(name, after, PAGE_ROWS[name]);
        table = { ...table, source_rows: table.source_rows + page.source_rows };
        for (const chunk of chunksOf(page.rows)) {
          while (sendings.size >= atOnce) await Promise.race(sendings);
          const sending = send(chunk);
          sendings.add(sending);
          // Rejections are handled by the awaits below.
          sending.finally(() => sendings.delete(sending)).catch(() => undefined);
        }
        after = page.nextAfter;
      }
      await Promise.all(sendings);
    } finally {
      await Promise.allSettled(sendings);
    }
    tables.push(table);
  }
  const known = dryRun ? null : await api.knownRows(source.fingerprint);
  return { rows, tables: tables.map((table) => accounted(table, known === null ? null : (known[table.table] ?? 0))) };
}
