import { Redactor } from '../redaction/redact.ts';
import { previewOf } from '../capture/build-event.ts';
import type { DropRule } from './counts.ts';
import type { ImportedNote, ImportedSummary } from './drafts.ts';
import { listOf, parsedJson, tagsOf } from './lists.ts';
import type { ObservationRow, SessionSummaryRow } from './rows.ts';
import { cleaned, cleanedList, cleanedName, joined, present, hasOnlyMarks } from './texts.ts';

/** Model of rows that do not name one. */
const UNKNOWN_MODEL = 'claude-mem';

function tokensOf({ discovery_tokens: tokens, bears_cost: bears }: ObservationRow | SessionSummaryRow): number {
  if (bears !== 1 || tokens === null || !Number.isFinite(tokens)) return 0;
  return Math.min(Math.max(0, Math.floor(tokens)), 2_147_483_647);
}

/** Returns the project if it differs from the session's, whose project may be known by more than a basename. */
function projectOf(row: ObservationRow | SessionSummaryRow, redactor: Redactor): string | null {
  const merged = cleanedName(redactor, row.merged_into_project);
  return merged ?? (row.project === row.session_project ? null : cleanedName(redactor, row.project));
}

/** Returns whether the row was empty, or became empty by redaction. */
function dropOf(redactor: Redactor): DropRule {
  return redactor.counts === null ? 'empty' : 'private';
}

/** Returns an observation as an item in its original words, or why it is dropped. */
export function itemOf(row: ObservationRow): ImportedSummary | DropRule {
  const redactor = new Redactor();
  const subtitle = cleaned(redactor, row.subtitle);
  const narrative = cleaned(redactor, row.narrative);
  const legacy = cleaned(redactor, row.text);
  const facts = cleanedList(redactor, listOf(row.facts));
  const concepts = tagsOf(cleanedList(redactor, listOf(row.concepts)));
  const given = cleanedName(redactor, row.title);
  const body = joined([subtitle, narrative === '' ? legacy : narrative]);
  if (hasOnlyMarks([given ?? '', body, ...facts, ...concepts.texts].join(' '))) return dropOf(redactor);
  return {
    type: 'item',
    kind: cleanedName(redactor, row.type),
    title: given ?? previewOf(body === '' ? (facts[0] ?? concepts.texts[0] ?? '') : body),
    content: joined([body, ...concepts.texts]),
    request: null,
    investigated: null,
    learned: null,
    completed: null,
    nextSteps: null,
    notes: null,
    keyPoints: facts,
    tags: concepts.tags,
    filesRead: cleanedList(redactor, listOf(row.files_read)),
    filesModified: cleanedList(redactor, listOf(row.files_modified)),
    model: cleanedName(redactor, row.generated_by_model) ?? UNKNOWN_MODEL,
    tokens: tokensOf(row),
    project: projectOf(row, redactor),
    metadata: present({
      claude_mem: present({
        subtitle,
        project: cleanedName(redactor, row.project),
        merged_into_project: cleanedName(redactor, row.merged_into_project),
        memory_session_id: cleanedName(redactor, row.memory_session_id),
        prompt_number: row.prompt_number,
        discovery_tokens: row.discovery_tokens,
        content_hash: cleanedName(redactor, row.content_hash),
        agent_id: cleanedName(redactor, row.agent_id),
        agent_type: cleanedName(redactor, row.agent_type),
        metadata: row.metadata === null ? null : redactor.json(parsedJson(row.metadata)),
        text: narrative === '' ? '' : legacy,
      }),
      redactions: redactor.counts,
    }),
  };
}

/** Returns a session summary, or why it is dropped. */
export function sessionSummaryOf(row: SessionSummaryRow): ImportedSummary | DropRule {
  const redactor = new Redactor();
  const fields = {
    request: cleaned(redactor, row.request),
    investigated: cleaned(redactor, row.investigated),
    learned: cleaned(redactor, row.learned),
    completed: cleaned(redactor, row.completed),
    nextSteps: cleaned(redactor, row.next_steps),
    notes: cleaned(redactor, row.notes),
  };
  const content = joined(Object.values(fields));
  if (hasOnlyMarks(content)) return dropOf(redactor);
  return {
    type: 'session',
    kind: null,
    title: previewOf(content),
    content,
    ...fields,
    keyPoints: [],
    tags: [],
    filesRead: cleanedList(redactor, listOf(row.files_read)),
    filesModified: cleanedList(redactor, listOf(row.files_edited)),
    model: UNKNOWN_MODEL,
    tokens: tokensOf(row),
    project: projectOf(row, redactor),
    metadata: present({
      claude_mem: present({
        project: cleanedName(redactor, row.project),
        merged_into_project: cleanedName(redactor, row.merged_into_project),
        memory_session_id: cleanedName(redactor, row.memory_session_id),
        prompt_number: row.prompt_number,
        discovery_tokens: row.discovery_tokens,
      }),
      redactions: redactor.counts,
    }),
  };
}

/** Converts an item of a notes session to a user's note. */
export function noteOf(item: ImportedSummary): ImportedNote {
  const content = joined([item.content, ...item.keyPoints]);
  return {
    title: content === '' ? '' : item.title,
    content: content === '' ? item.title : content,
    tags: item.tags,
    project: item.project,
  };
}
