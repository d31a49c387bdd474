import { tableCounts } from '../../../domain/claude-mem/counts.ts';
import type { RowOutcome, TableCounts } from '../../../domain/claude-mem/counts.ts';
import type { Draft } from '../../../domain/claude-mem/drafts.ts';
import { sessionKey } from '../../../domain/claude-mem/session-name.ts';
import type { SessionId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { claimRows, disclaimRows, lockSource, unknownRows } from './ledger.ts';
import type { SourceRows } from './ledger.ts';
import type { ImportBatch, PreparedRows } from './prepare-rows.ts';
import { currentOf, requestedSessions } from './current-state.ts';
import { writeDrafts } from './write-drafts.ts';

export interface BatchOutcome {
  /** `source_rows` is how many rows were given. */
  readonly counts: TableCounts;
  readonly sessionsMade: number;
  readonly firstPrompts: number;
  /** Sessions whose rows their workflows must process: they get a hint after the commit. */
  readonly toHint: readonly SessionId[];
}

/**
 * Imports rows of one table in the caller's transaction: all of them or none. A row that was imported before is `present` and changes
 * nothing, even if it was changed, forgotten or expired here since.
 */
export async function importBatch(
  transaction: TenantTransaction,
  batch: ImportBatch,
  { table, drafts }: PreparedRows,
): Promise<BatchOutcome> {
  const rows: SourceRows = { tenantId: batch.owner.tenantId, source: batch.source, table };
  if (!batch.dryRun) await lockSource(transaction, rows);
  const alive = drafts.filter((draft) => draft.dropped === null);
  const ids = alive.map(({ id }) => id);
  const fresh = batch.dryRun ? await unknownRows(transaction, rows, ids) : await claimRows(transaction, rows, ids);
  const newDrafts = alive.filter(({ id }) => fresh.has(id));
  const wanted = requestedSessions(newDrafts);
  const current = await currentOf(transaction, batch, wanted);
  const open = newDrafts.filter(({ session }) => !current.refused.has(sessionKey(session)));
  const { outcomes, firstPrompts, toHint } = await writeDrafts(transaction, rows, batch, current, open);
  const outcomeOf = (draft: Draft): RowOutcome =>
    draft.dropped ?? (fresh.has(draft.id) ? (outcomes.get(draft.id) ?? 'refused') : 'present');
  const results = drafts.map((draft) => ({ id: draft.id, outcome: outcomeOf(draft) }));
  if (!batch.dryRun)
    await disclaimRows(
      transaction,
      rows,
      results.filter(({ id, outcome }) => fresh.has(id) && outcome === 'refused').map(({ id }) => id),
    );
  return {
    counts: tableCounts(
      drafts.length,
      results.map(({ outcome }) => outcome),
    ),
    sessionsMade: table === 'sdk_sessions' ? 0 : current.made,
    firstPrompts,
    toHint,
  };
}
