import type { EventPart, HostEvent } from './event.ts';
import type { HookPayload } from './hook-payload.ts';
import { extraFields } from './hosts/mapping.ts';
import { isOwnTool } from './own-tools.ts';

const HOST = 'claude-code';
/** Fields that are stored elsewhere or that no memory needs; omitted from the note of an unknown hook. */
const COMMON_FIELDS = new Set([
  'session_id',
  'transcript_path',
  'cwd',
  'hook_event_name',
  'permission_mode',
  'agent_id',
  'agent_type',
  'timestamp',
  'event_id',
  'git_remote',
  'machine_id',
  'repository',
  'root',
]);
/** Fields that a tool call consists of; all others are stored as extra. */
const TOOL_FIELDS = new Set([
  ...COMMON_FIELDS,
  'tool_name',
  'tool_input',
  'tool_response',
  'tool_use_id',
  'duration_ms',
]);
const FAILED_TOOL_FIELDS = new Set([...TOOL_FIELDS, 'error']);
const NOTIFICATION_FIELDS = new Set([...COMMON_FIELDS, 'message']);
const FAILURE_FIELDS = new Set([...COMMON_FIELDS, 'error', 'last_assistant_message']);
const START_FIELDS = new Set([...COMMON_FIELDS, 'source', 'model']);
const PROMPT_FIELDS = new Set([...COMMON_FIELDS, 'prompt']);
const STOP_FIELDS = new Set([...COMMON_FIELDS, 'last_assistant_message']);
const COMPACTION_FIELDS = new Set([...COMMON_FIELDS, 'trigger']);
const END_FIELDS = new Set([...COMMON_FIELDS, 'reason']);
/** Fields that are used only if they are text. */
const TEXT_FIELDS = [
  'prompt',
  'last_assistant_message',
  'message',
  'error',
  'tool_name',
  'tool_use_id',
  'source',
  'model',
  'trigger',
  'reason',
];
/** Events that record the transcript path of the session; in other events it would only repeat. */
const TRANSCRIPT_EVENTS = new Set(['SessionStart', 'Stop', 'SessionEnd']);
const PATH_CHARS = 4096;

function text(payload: HookPayload, field: string): string | null {
  const value = payload[field];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Returns the unused fields: unknown ones, and text fields whose value is not text. */
function unusedFields(payload: HookPayload, used: ReadonlySet<string>): Readonly<Record<string, unknown>> | null {
  const extra = extraFields(payload, used);
  const odd = TEXT_FIELDS.filter((field) => used.has(field) && !isTextOrNothing(payload[field]));
  return odd.length === 0 ? extra : { ...extra, ...Object.fromEntries(odd.map((field) => [field, payload[field]])) };
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

/** The same for a prompt or a boundary, without empty values: most have no extra fields then. */
function extraField(payload: HookPayload, used: ReadonlySet<string>): { readonly extra?: Record<string, unknown> } {
  const present = Object.entries(unusedFields(payload, used) ?? {}).filter(
    ([, value]) => value !== null && value !== '',
  );
  return present.length === 0 ? {} : { extra: Object.fromEntries(present) };
}

function toolPart(payload: HookPayload, event: string, error: string | null): EventPart[] {
  const name = text(payload, 'tool_name') ?? 'unknown';
  if (isOwnTool(name, payload['tool_response'], payload['tool_input'])) return [];
  const duration = payload['duration_ms'];
  return [
    {
      kind: 'tool',
      event,
      name,
      input: payload['tool_input'] ?? null,
      response: payload['tool_response'] ?? null,
      error,
      durationMs:
        typeof duration === 'number' && Number.isFinite(duration) && duration >= 0
          ? Math.min(Math.round(duration), 2_147_483_647)
          : null,
      importance: null,
      tags: [],
      extra: unusedFields(payload, error === null ? TOOL_FIELDS : FAILED_TOOL_FIELDS),
    },
  ];
}

/** Returns the assistant's last message, if the host sends it, then the boundary. */
function messageThen(payload: HookPayload, boundary: EventPart): EventPart[] {
  const words = text(payload, 'last_assistant_message');
  return words === null ? [boundary] : [{ kind: 'prompt', type: 'assistant', content: words }, boundary];
}

function note(
  event: string,
  type: 'info' | 'error' | 'warning',
  content: string | Readonly<Record<string, unknown>>,
  extra: Readonly<Record<string, unknown>> | null = null,
): EventPart {
  return { kind: 'note', event, type, title: event, content, importance: null, tags: [], extra };
}

function partsOf(event: string, payload: HookPayload): EventPart[] {
  switch (event) {
    case 'SessionStart':
      return [
        {
          kind: 'boundary',
          boundary: 'session_start',
          reason: text(payload, 'source'),
          ...extraField(payload, START_FIELDS),
        },
      ];
    case 'UserPromptSubmit':
      return [
        { kind: 'prompt', type: 'user', content: text(payload, 'prompt') ?? '', ...extraField(payload, PROMPT_FIELDS) },
      ];
    case 'PreToolUse':
      return []; // Requests context only; the call is captured when it ends.
    case 'PostToolUse':
      return toolPart(payload, event, null);
    case 'PostToolUseFailure':
      return toolPart(
        payload,
        event,
        text(payload, 'error') ?? (payload['is_interrupt'] === true ? 'interrupted' : 'failed'),
      );
    case 'SubagentStart':
      return [{ kind: 'boundary', boundary: 'subagent_start', reason: null, ...extraField(payload, COMMON_FIELDS) }];
    case 'SubagentStop':
      return messageThen(payload, {
        kind: 'boundary',
        boundary: 'subagent_stop',
        reason: null,
        ...extraField(payload, STOP_FIELDS),
      });
    case 'Stop':
      return messageThen(payload, {
        kind: 'boundary',
        boundary: 'turn_end',
        reason: null,
        ...extraField(payload, STOP_FIELDS),
      });
    case 'StopFailure': {
      const failure = note(
        event,
        'error',
        text(payload, 'error') ?? 'the turn failed',
        unusedFields(payload, FAILURE_FIELDS),
      );
      return [failure, ...messageThen(payload, { kind: 'boundary', boundary: 'turn_end', reason: 'failure' })];
    }
    case 'PreCompact':
    case 'PostCompact':
      return [
        {
          kind: 'boundary',
          boundary: 'compaction',
          reason: text(payload, 'trigger'),
          ...extraField(payload, COMPACTION_FIELDS),
        },
      ];
    case 'Notification':
      return [note(event, 'info', text(payload, 'message') ?? '', unusedFields(payload, NOTIFICATION_FIELDS))];
    case 'SessionEnd':
      return [
        {
          kind: 'boundary',
          boundary: 'session_end',
          reason: text(payload, 'reason'),
          ...extraField(payload, END_FIELDS),
        },
      ];
    default: {
      if (isOwnTool(text(payload, 'tool_name') ?? '', payload['tool_response'], payload['tool_input'])) return [];
      return [note(event, 'info', extraFields(payload, COMMON_FIELDS) ?? {})];
    }
  }
}

/** Returns the session's metadata from this event: its source and its transcript path. */
function sessionMetadata(event: string, payload: HookPayload): Record<string, unknown> | null {
  if (!TRANSCRIPT_EVENTS.has(event)) return null;
  const source = event === 'SessionStart' ? text(payload, 'source') : null;
  const transcript = text(payload, 'transcript_path');
  const metadata = {
    ...(source === null ? {} : { source }),
    ...(transcript === null || transcript.length > PATH_CHARS ? {} : { transcript_path: transcript }),
  };
  return Object.keys(metadata).length === 0 ? null : metadata;
}

/**
 * Translates one Claude Code hook. An unknown event becomes an info observation. Returns null if there is nothing to store (a request
 * for context, a response of our own tools).
 */
export function translateHook(event: string, payload: HookPayload, deliveryId: string | null): HostEvent | null {
  const parts = partsOf(event, payload);
  if (parts.length === 0) return null;
  const toolUseId = parts.some((part) => part.kind === 'tool') ? text(payload, 'tool_use_id') : null;
  const remote = text(payload, 'git_remote') ?? undefined;
  const machineId = text(payload, 'machine_id') ?? undefined;
  const repository = text(payload, 'repository') ?? undefined;
  return {
    host: HOST,
    source: 'hook',
    externalId: payload.session_id,
    namespace: 'default',
    infer: true,
    project:
      payload.cwd === undefined ? null : { path: text(payload, 'root') ?? payload.cwd, remote, machineId, repository },
    key: toolUseId !== null ? `tool:${toolUseId}` : (deliveryId ?? payload.event_id ?? null),
    occurredAt: payload.timestamp ?? null,
    agent: { id: payload.agent_id ?? null, type: payload.agent_type ?? null },
    model: event === 'SessionStart' ? text(payload, 'model') : null,
    metadata: sessionMetadata(event, payload),
    parts,
  };
}
