import { CLAUDE_MEM_TABLES } from './rows.ts';
import type { ClaudeMemTable } from './rows.ts';

/** Rules by which a source row does not become a recorded row. */
export const DROP_RULES = ['private', 'empty', 'observer', 'processed', 'no_event'] as const;
export type DropRule = (typeof DROP_RULES)[number];

/** What became of a row. */
export const ROW_OUTCOMES = ['imported', 'present', 'refused', ...DROP_RULES] as const;
export type RowOutcome = (typeof ROW_OUTCOMES)[number];

/** Rows of one table: as the source counts them, and by what became of each. */
export type TableCounts = Readonly<Record<'source_rows' | RowOutcome, number>>;

export function tableCounts(source_rows: number, outcomes: readonly RowOutcome[]): TableCounts {
  const counts = {
    source_rows,
    imported: 0,
    present: 0,
    refused: 0,
    private: 0,
    empty: 0,
    observer: 0,
    processed: 0,
    no_event: 0,
  };
  for (const outcome of outcomes) counts[outcome] += 1;
  return counts;
}

/** The counts of one table under names that tell the table, as an import's row keeps them: `observations.imported`. */
export function flatCounts(table: ClaudeMemTable, counts: TableCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [`${table}.${name}`, value]));
}

/** What is told of a table: nothing of source_rows is lost where `unaccounted` is 0. */
export interface TableReport {
  readonly table: ClaudeMemTable;
  readonly source_rows: number;
  readonly imported: number;
  /** Here already: taken in before, or captured by hooks. */
  readonly present: number;
  /** Forgotten or deleted here. */
  readonly refused: number;
  readonly dropped: Readonly<Record<DropRule, number>>;
  /** Rows of the table that are known here, as the database counts them; null where nothing was written. */
  readonly recorded_rows: number | null;
  readonly unaccounted: number;
}

/**
 * Adds an import up. `unaccounted`: source rows that have no outcome, and rows that should be known here and are not. More of recorded_rows than
 * came now are rows that are gone from the source since.
 */
export function reportOf(
  flat: Readonly<Record<string, number>>,
  recorded_rows: Readonly<Partial<Record<ClaudeMemTable, number>>> | null,
): TableReport[] {
  return CLAUDE_MEM_TABLES.map((table) => {
    const of = (name: string) => flat[`${table}.${name}`] ?? 0;
    const dropped = {
      private: of('private'),
      empty: of('empty'),
      observer: of('observer'),
      processed: of('processed'),
      no_event: of('no_event'),
    };
    const told = {
      source_rows: of('source_rows'),
      imported: of('imported'),
      present: of('present'),
      refused: of('refused'),
    };
    const explained =
      told.imported + told.present + told.refused + Object.values(dropped).reduce((sum, value) => sum + value, 0);
    const known = recorded_rows === null ? null : (recorded_rows[table] ?? 0);
    const missing = known === null ? 0 : Math.max(0, told.imported + told.present - known);
    return {
      table,
      ...told,
      dropped,
      recorded_rows: known,
      unaccounted: Math.abs(told.source_rows - explained) + missing,
    };
  });
}
