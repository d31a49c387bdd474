import { buildCaptureEvent } from '../capture/build-event.ts';
import type { CaptureEvent, EventPart, HostEvent } from '../capture/event.ts';
import type { DropRule } from './counts.ts';
import type { MappingContext } from './drafts.ts';
import { parsedJson } from './lists.ts';
import type { ClaudeMemTable, PendingMessageRow, SdkSessionRow, UserPromptRow } from './rows.ts';
import { sessionOf } from './session-name.ts';
import { momentOf, present, hasOnlyMarks } from './texts.ts';

/** Time of rows without one: the epoch marks it as unknown. */
const UNKNOWN_MS = 0;

/** Key of a row: source database, table and id. */
export function naturalKey(source: string, table: ClaudeMemTable, id: number): string {
  return `claude-mem:${source}:${table}:${id}`;
}

function eventOf(
  context: MappingContext,
  row: UserPromptRow | SdkSessionRow | PendingMessageRow,
  key: string,
  part: EventPart,
  agent: HostEvent['agent'] = { id: null, type: null },
): CaptureEvent {
  const { host, externalId } = sessionOf(context.source, row);
  const at = new Date(momentOf(row.created_at_epoch) ?? UNKNOWN_MS);
  return buildCaptureEvent(
    {
      host,
      source: 'import',
      externalId,
      namespace: 'default',
      infer: true,
      // The session exists already, in its project.
      project: null,
      key,
      occurredAt: at.toISOString(),
      agent,
      model: null,
      metadata: null,
      parts: [part],
    },
    context.owner,
    // Received when claude-mem received it: an old session does not wait for further events.
    at,
  );
}

function promptOf(
  context: MappingContext,
  row: UserPromptRow | SdkSessionRow,
  key: string,
  text: string | null,
  promptNumber: number | null,
): CaptureEvent | DropRule {
  if (text === null || text.trim() === '') return 'empty';
  const extra = promptNumber === null ? undefined : { claude_mem: { prompt_number: promptNumber } };
  const event = eventOf(context, row, key, { kind: 'prompt', type: 'user', content: text, extra });
  const [prompt] = event.rows;
  return prompt?.kind === 'prompt' && !hasOnlyMarks(prompt.content) ? event : 'private';
}

/** Returns a prompt, or why it is dropped. */
export function userPromptOf(context: MappingContext, row: UserPromptRow): CaptureEvent | DropRule {
  return promptOf(context, row, naturalKey(context.source, 'user_prompts', row.id), row.prompt_text, row.prompt_number);
}

/** Returns the first prompt of a session if no other row has it. A fully private one is stored in clear text there, and is dropped. */
export function firstPromptOf(context: MappingContext, row: SdkSessionRow): CaptureEvent | null {
  if (row.has_first_prompt === 1) return null;
  const event = promptOf(context, row, naturalKey(context.source, 'sdk_sessions', row.id), row.user_prompt, 1);
  return typeof event === 'string' ? null : event;
}

/** Returns a message that claude-mem's observer never processed, or why it is dropped. */
export function pendingOf(context: MappingContext, row: PendingMessageRow): CaptureEvent | DropRule {
  // Only processed messages are done; all others were pending or failed.
  if (row.status === 'processed') return 'processed';
  const agent = { id: row.agent_id, type: row.agent_type };
  const key =
    row.tool_use_id === null || row.tool_use_id === ''
      ? naturalKey(context.source, 'pending_messages', row.id)
      : `tool:${row.tool_use_id}`;
  if (row.tool_name !== null && row.tool_name.trim() !== '') {
    const tool = row.tool_name;
    return eventOf(
      context,
      row,
      key,
      {
        kind: 'tool',
        event: 'PostToolUse',
        name: tool,
        input: row.tool_input === null ? null : parsedJson(row.tool_input),
        response: row.tool_response === null ? null : parsedJson(row.tool_response),
        error: null,
        durationMs: null,
        importance: null,
        tags: [],
        extra: present({ cwd: row.cwd, prompt_number: row.prompt_number }),
      },
      agent,
    );
  }
  if (row.last_assistant_message === null || row.last_assistant_message.trim() === '') return 'no_event';
  const part = { kind: 'prompt', type: 'assistant', content: row.last_assistant_message } as const;
  const event = eventOf(context, row, key, part, agent);
  const [prompt] = event.rows;
  return prompt?.kind === 'prompt' && !hasOnlyMarks(prompt.content) ? event : 'private';
}
