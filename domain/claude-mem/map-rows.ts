import { Redactor } from '../redaction/redact.ts';
import type { Draft, ImportedSummary, MappingContext } from './drafts.ts';
import type { CaptureEvent } from '../capture/event.ts';
import type { DropRule } from './counts.ts';
import { firstPromptOf, pendingOf, userPromptOf } from './events.ts';
import type { ClaudeMemRows, ObservationRow, SdkSessionRow, SessionBoundRow, SessionSummaryRow } from './rows.ts';
import { isObserver, sessionOf } from './session-name.ts';
import type { SessionRef } from './session-name.ts';
import { itemOf, noteOf, sessionSummaryOf } from './summaries.ts';
import { cleanedName, momentOf, present } from './texts.ts';

type Becomes = Extract<Draft, { readonly dropped: null }>['becomes'];

function draftOf(
  context: MappingContext,
  row: SessionBoundRow,
  becomes: (session: SessionRef) => Becomes | DropRule,
): Draft {
  if (isObserver(row)) return { id: row.id, dropped: 'observer' };
  const session = sessionOf(context.source, row);
  const made = becomes(session);
  if (typeof made === 'string') return { id: row.id, dropped: made };
  return { id: row.id, dropped: null, session, atMs: momentOf(row.created_at_epoch), becomes: made };
}

function captured(kind: 'prompt' | 'raw', event: CaptureEvent | DropRule): Becomes | DropRule {
  return typeof event === 'string' ? event : { kind, event };
}

function sessionDraft(context: MappingContext, row: SdkSessionRow): Becomes {
  const redactor = new Redactor();
  return {
    kind: 'session',
    title: cleanedName(redactor, row.custom_title),
    endedAtMs: momentOf(row.completed_at_epoch),
    metadata: present({
      status: cleanedName(redactor, row.status),
      platform_source: cleanedName(redactor, row.platform_source),
      memory_session_id: cleanedName(redactor, row.memory_session_id),
    }),
    prompt: firstPromptOf(context, row),
  };
}

function summaryDraft(summary: ImportedSummary | DropRule): Becomes | DropRule {
  return typeof summary === 'string' ? summary : { kind: 'summary', summary };
}

function observationDraft(session: SessionRef, row: ObservationRow): Becomes | DropRule {
  const item = itemOf(row);
  if (typeof item === 'string' || session.kind !== 'manual') return summaryDraft(item);
  return { kind: 'note', note: noteOf(item) };
}

/** Maps each row, in order. Redacts everything: the result contains nothing that was removed. */
export function mapRows(context: MappingContext, { table, rows }: ClaudeMemRows): Draft[] {
  switch (table) {
    case 'sdk_sessions':
      return rows.map((row) => draftOf(context, row, () => sessionDraft(context, row)));
    case 'user_prompts':
      return rows.map((row) => draftOf(context, row, () => captured('prompt', userPromptOf(context, row))));
    case 'observations':
      return rows.map((row) => draftOf(context, row, (session) => observationDraft(session, row)));
    case 'session_summaries':
      return rows.map((row: SessionSummaryRow) => draftOf(context, row, () => summaryDraft(sessionSummaryOf(row))));
    case 'pending_messages':
      return rows.map((row) => draftOf(context, row, () => captured('raw', pendingOf(context, row))));
  }
}
