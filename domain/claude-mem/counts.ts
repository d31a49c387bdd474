import { CLAUDE_MEM_TABLES } from './rows.ts';
import type { ClaudeMemTable } from './rows.ts';

/** Why a source row is not imported. */
export const DROP_RULES = ['private', 'empty', 'observer', 'processed', 'no_event'] as const;
export type DropRule = (typeof DROP_RULES)[number];

/** Outcomes of a row. */
export const ROW_OUTCOMES = ['imported', 'present', 'refused', ...DROP_RULES] as const;
export type RowOutcome = (typeof ROW_OUTCOMES)[number];

/** Rows of one table: the source's count, and the count of each outcome. */
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

/** Returns the counts of one table under prefixed names, as the import's row stores them: `observations.imported`. */
export function flatCounts(table: ClaudeMemTable, counts: TableCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [`${table}.${name}`, value]));
}

/** Report of one table: no source row is lost if `unaccounted` is 0. */
export interface TableReport {
  readonly table: ClaudeMemTable;
  readonly source_rows: number;
  readonly imported: number;
  /** Stored before: by an earlier import or by hooks. */
  readonly present: number;
  /** Forgotten or deleted here. */
  readonly refused: number;
  readonly dropped: Readonly<Record<DropRule, number>>;
  /** Recorded rows of the table in this database; null if nothing was written. */
  readonly recorded_rows: number | null;
  readonly unaccounted: number;
}

/**
 * Sums up an import. `unaccounted`: source rows without an outcome, and expected rows that are not recorded. Recorded rows may exceed
 * the imported ones: the source has deleted rows since.
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
    const counted = {
      source_rows: of('source_rows'),
      imported: of('imported'),
      present: of('present'),
      refused: of('refused'),
    };
    const explained =
      counted.imported +
      counted.present +
      counted.refused +
      Object.values(dropped).reduce((sum, value) => sum + value, 0);
    const known = recorded_rows === null ? null : (recorded_rows[table] ?? 0);
    const missing = known === null ? 0 : Math.max(0, counted.imported + counted.present - known);
    return {
      table,
      ...counted,
      dropped,
      recorded_rows: known,
      unaccounted: Math.abs(counted.source_rows - explained) + missing,
    };
  });
}
