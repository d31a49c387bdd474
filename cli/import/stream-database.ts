import { FIRST_PAGE, PAGE_ROWS } from '../../infra/claude-mem/open-database.ts';
import type { ClaudeMemSource } from '../../infra/claude-mem/open-database.ts';
import type { ImportAnswer, ImportApi, ImportedTable, ConsumedRows } from './import-api.ts';

/** Rows that are sent together; a row that is longer is sent alone. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** As many as the server takes. */
const MOST_AT_ONCE = 3;
const NOTHING_DROPPED = { private: 0, empty: 0, observer: 0, processed: 0, no_event: 0 };

type Rows = NonNullable<ImportAnswer['rows']>;

export interface DatabaseSending {
  readonly api: ImportApi;
  readonly source: ClaudeMemSource;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (rows: Rows) => void;
}

/** Lines of rows, gathered to pieces. */
function* piecesOf(rows: readonly Record<string, unknown>[]): Generator<Buffer<ArrayBuffer>> {
  let lines: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const line = JSON.stringify(row, (_name, value: unknown) => (value instanceof Uint8Array ? null : value));
    if (lines.length > 0 && chars + line.length > PIECE_BYTES) {
      yield Buffer.from(lines.join('\n'));
      [lines, chars] = [[], 0];
    }
    lines.push(line);
    chars += line.length;
  }
  if (lines.length > 0) yield Buffer.from(lines.join('\n'));
}

function plus(table: ImportedTable, taken: ConsumedRows): ImportedTable {
  const { dropped } = table;
  return {
    ...table,
    imported: table.imported + taken.imported,
    present: table.present + taken.present,
    refused: table.refused + taken.refused,
    dropped: {
      private: dropped.private + taken.dropped.private,
      empty: dropped.empty + taken.dropped.empty,
      observer: dropped.observer + taken.dropped.observer,
      processed: dropped.processed + taken.dropped.processed,
      no_event: dropped.no_event + taken.dropped.no_event,
    },
  };
}

/** What a table came to: `unaccounted` counts source rows without an outcome, and rows that the server should know and does not. */
function accounted(table: ImportedTable, known: number | null): ImportedTable {
  const { source_rows, imported, present, refused, dropped } = table;
  const explained = imported + present + refused + Object.values(dropped).reduce((sum, value) => sum + value, 0);
  const missing = known === null ? 0 : Math.max(0, imported + present - known);
  return { ...table, recorded_rows: known, unaccounted: Math.abs(source_rows - explained) + missing };
}

/** Sends a database of this machine to a server that cannot read it. Rejects with RecollectError; what was sent stays, and is not sent in vain again. */
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
    // The server prepares a piece while it writes another; versions of summaries, and sessions, come in their order.
    const atOnce = name === 'observations' || name === 'user_prompts' ? MOST_AT_ONCE : 1;
    const sendings = new Set<Promise<void>>();
    const send = async (piece: Buffer<ArrayBuffer>): Promise<void> => {
      const taken = await api.sendRows(source.fingerprint, name, dryRun, piece);
      table = plus(table, taken);
      rows = {
        total,
        done: rows.done + taken.rows,
        sessions_made: rows.sessions_made + taken.sessions_made,
        first_prompts: rows.first_prompts + taken.first_prompts,
      };
      onProgress(rows);
    };
    try {
      for (let after: number | null = FIRST_PAGE; after !== null;) {
        signal.throwIfAborted();
        const page = source.page(name, after, PAGE_ROWS[name]);
        table = { ...table, source_rows: table.source_rows + page.source_rows };
        for (const piece of piecesOf(page.rows)) {
          while (sendings.size >= atOnce) await Promise.race(sendings);
          const sending = send(piece);
          sendings.add(sending);
          // Awaited below, whatever becomes of it.
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
