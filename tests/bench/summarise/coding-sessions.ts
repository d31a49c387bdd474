import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { buildCaptureEvent } from '../../../domain/capture/build-event.ts';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import type { CaptureRow } from '../../../domain/capture/event.ts';
import { asId, type TenantId, type UserId } from '../../../domain/ids.ts';
import type { SourceRow } from '../../../domain/ports/model.ts';
import { cutWindows, type WindowRow } from '../../../domain/windows.ts';

/** A session as the server stores it: rows in reading order, cut into windows by the default policy. */
export interface BenchSession {
  readonly name: string;
  readonly rows: readonly SourceRow[];
  readonly windows: readonly (readonly SourceRow[])[];
  /** Commands and paths of tool inputs: a file counts as touched if they contain it. */
  readonly toolInputs: string;
}

export interface BenchQuestion {
  readonly id: string;
  readonly type: string;
  readonly evidence: string;
  /** Names of the sessions with the answer. */
  readonly sessions: readonly string[];
}

const DIRECTORY = new URL('../../../../shared/data/coding-sessions/', import.meta.url);
const POLICY = { windowTokens: 6_000, turnTokens: 1_500 };
const OWNER = { tenantId: asId<TenantId>('bench'), userId: asId<UserId>('bench') };

const hook = z.looseObject({
  hook_event_name: z.string(),
  session_id: z.string(),
  timestamp: z.string(),
  tool_input: z.unknown().optional(),
});
const question = z.looseObject({
  id: z.string(),
  type: z.string(),
  evidence: z.string(),
  gold_events: z.array(z.string()),
});

/** Returns sessions and queries of the shared data; null if it is not beside the repository. */
export function readCodingSessions(
  countTokens: (text: string) => number,
): { readonly sessions: readonly BenchSession[]; readonly questions: readonly BenchQuestion[] } | null {
  if (!existsSync(DIRECTORY)) return null;
  const events = new URL('events/', DIRECTORY);
  return {
    sessions: readdirSync(events)
      .filter((name) => name.endsWith('.ndjson'))
      .toSorted()
      .map((name) =>
        sessionOf(name.replace('.ndjson', ''), linesOf(readFileSync(new URL(name, events), 'utf8')), countTokens),
      ),
    questions: linesOf(readFileSync(new URL('questions.jsonl', DIRECTORY), 'utf8')).map((line) => {
      const { id, type, evidence, gold_events: gold } = question.parse(JSON.parse(line));
      return { id, type, evidence, sessions: [...new Set(gold.map((event) => event.replace(/-e\d+$/u, '')))] };
    }),
  };
}

/** Returns this many events of the shared sessions as one session. */
export function readLongSession(events: number, countTokens: (text: string) => number): BenchSession {
  const folder = new URL('events/', DIRECTORY);
  const lines = readdirSync(folder)
    .toSorted()
    .flatMap((name) => linesOf(readFileSync(new URL(name, folder), 'utf8')));
  return sessionOf('long', lines.slice(0, events), countTokens);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Returns hooks (one JSON per line) as capture stores them: translated, redacted, truncated, rendered, and cut into windows. */
export function sessionOf(name: string, lines: readonly string[], countTokens: (text: string) => number): BenchSession {
  const rows: SourceRow[] = [];
  const marks: WindowRow[] = [];
  const inputs: string[] = [];
  for (const line of lines) {
    const payload = hook.parse(JSON.parse(line));
    inputs.push(...namesIn(payload.tool_input));
    const event = translateHook(payload.hook_event_name, payload, null);
    if (event === null) continue;
    for (const row of buildCaptureEvent(event, OWNER, new Date(payload.timestamp)).rows) {
      const seq = marks.length + 1;
      const source = row.kind === 'boundary' ? null : sourceOf(row, seq, countTokens);
      if (source !== null) rows.push(source);
      marks.push({
        seq,
        tokens: source?.tokens ?? 0,
        boundary: row.kind === 'boundary' ? row.boundary : null,
        createdAtMs: Date.parse(payload.timestamp),
      });
    }
  }
  const { windows } = cutWindows(marks, POLICY, 'session_end');
  return {
    name,
    rows,
    windows: windows.map(({ fromSeq, toSeq }) => rows.filter(({ seq }) => seq >= fromSeq && seq <= toSeq)),
    toolInputs: inputs.join('\n'),
  };
}

/** Input fields with text to write, a list or a question: names in them do not count as touched. */
const TALK = new Set(['content', 'old_string', 'new_string', 'new_source', 'edits', 'todos', 'prompt', 'description']);

function namesIn(input: unknown): readonly string[] {
  if (input === null || typeof input !== 'object') return typeof input === 'string' ? [input] : [];
  return Object.entries(input).flatMap(([field, value]) =>
    typeof value === 'string' && !TALK.has(field) ? [value] : [],
  );
}

function sourceOf(
  row: Exclude<CaptureRow, { readonly kind: 'boundary' }>,
  seq: number,
  countTokens: (text: string) => number,
): SourceRow {
  const isPrompt = row.kind === 'prompt';
  return {
    // Derived from the position: ids of capture differ between runs.
    id: `row-${String(seq)}`,
    seq,
    role: row.kind,
    type: row.type,
    tool: isPrompt ? null : row.tool,
    title: isPrompt ? '' : row.title,
    content: row.content,
    tokens: countTokens(row.content),
    dataClass: 'internal',
    filesRead: isPrompt ? [] : row.files_read,
    filesModified: isPrompt ? [] : row.files_modified,
    occurredAt: row.occurred_at,
  };
}
