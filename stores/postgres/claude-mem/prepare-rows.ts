import type { EventOwner } from '../../../domain/capture/event.ts';
import type { Draft } from '../../../domain/claude-mem/drafts.ts';
import { mapRows } from '../../../domain/claude-mem/map-rows.ts';
import type { ClaudeMemRows, ClaudeMemTable } from '../../../domain/claude-mem/rows.ts';
import type { EmbeddingModel } from '../embeddings/embedding-ledger.ts';

export interface ImportBatch {
  readonly owner: EventOwner;
  readonly source: string;
  readonly embeddingModel: EmbeddingModel;
  /** Dry run. */
  readonly dryRun: boolean;
}

/** A draft that is imported. */
export type AcceptedDraft = Extract<Draft, { readonly dropped: null }>;
export type AcceptedDraftOf<Kind extends AcceptedDraft['becomes']['kind']> = AcceptedDraft & {
  readonly becomes: Extract<AcceptedDraft['becomes'], { readonly kind: Kind }>;
};

export function isStored<Kind extends AcceptedDraft['becomes']['kind']>(
  draft: AcceptedDraft,
  kind: Kind,
): draft is AcceptedDraftOf<Kind> {
  return draft.becomes.kind === kind;
}

/** Rows that were mapped: what is left to do is to write them. */
export interface PreparedRows {
  readonly table: ClaudeMemTable;
  readonly drafts: readonly Draft[];
}

/** Rows that are mapped at once: other work can run in between. */
const SLICE_ROWS = 25;

function slice({ table, rows }: ClaudeMemRows, from: number): ClaudeMemRows {
  const to = from + SLICE_ROWS;
  switch (table) {
    case 'sdk_sessions':
      return { table, rows: rows.slice(from, to) };
    case 'user_prompts':
      return { table, rows: rows.slice(from, to) };
    case 'observations':
      return { table, rows: rows.slice(from, to) };
    case 'session_summaries':
      return { table, rows: rows.slice(from, to) };
    case 'pending_messages':
      return { table, rows: rows.slice(from, to) };
  }
}

/** Maps and redacts rows of one table, little by little. */
export async function prepareRows(batch: ImportBatch, given: ClaudeMemRows): Promise<PreparedRows> {
  const drafts: Draft[] = [];
  for (let from = 0; from < given.rows.length; from += SLICE_ROWS) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    drafts.push(...mapRows(batch, slice(given, from)));
  }
  return { table: given.table, drafts };
}
