import type { EventPart, HostEvent } from './event.ts';

/** A hook's JSON after the edge has checked what must be there; everything else is the host's and may be missing or odd. */
export interface HookPayload {
  readonly session_id: string;
  readonly cwd?: string | undefined;
  readonly hook_event_name?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly agent_type?: string | undefined;
  /** Time of the event, where the host or our client adds one. RFC 3339. */
  readonly timestamp?: string | undefined;
  /** Id of this delivery, where our client adds one. */
  readonly event_id?: string | undefined;
  readonly [field: string]: unknown;
}

const HOST = 'claude-code';
/** Fields that are told elsewhere, or that no memory needs, left out of what an unknown hook is kept as. */
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
]);
/** Answers of our own tools are recall, not experience. */
const OWN_TOOLS = /^mcp__(?:[a-z0-9-]{1,64}_){0,8}recollect(?:_[a-z0-9-]{1,64}){0,8}__/i;

function text(payload: HookPayload, field: string): string | null {
  const value = payload[field];
  return typeof value === 'string' && value !== '' ? value : null;
}

function toolPart(payload: HookPayload, event: string, error: string | null): EventPart[] {
  const name = text(payload, 'tool_name') ?? 'unknown';
  if (OWN_TOOLS.test(name)) return [];
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
    },
  ];
}

/** The assistant's last words, where the host sends them, then the boundary. */
function wordsThen(payload: HookPayload, boundary: EventPart): EventPart[] {
  const words = text(payload, 'last_assistant_message');
  return words === null ? [boundary] : [{ kind: 'prompt', type: 'assistant', content: words }, boundary];
}

function note(event: string, type: 'info' | 'error' | 'warning', content: string | Record<string, unknown>): EventPart {
  return { kind: 'note', event, type, title: event, content, importance: null, tags: [] };
}

function partsOf(event: string, payload: HookPayload): EventPart[] {
  switch (event) {
    case 'SessionStart':
      return [{ kind: 'boundary', boundary: 'session_start', reason: text(payload, 'source') }];
    case 'UserPromptSubmit':
      return [{ kind: 'prompt', type: 'user', content: text(payload, 'prompt') ?? '' }];
    case 'PreToolUse':
      return []; // Asks for context only; the call is captured when it is over.
    case 'PostToolUse':
      return toolPart(payload, event, null);
    case 'PostToolUseFailure':
      return toolPart(
        payload,
        event,
        text(payload, 'error') ?? (payload['is_interrupt'] === true ? 'interrupted' : 'failed'),
      );
    case 'SubagentStart':
      return [{ kind: 'boundary', boundary: 'subagent_start', reason: null }];
    case 'SubagentStop':
      return wordsThen(payload, { kind: 'boundary', boundary: 'subagent_stop', reason: null });
    case 'Stop':
      return wordsThen(payload, { kind: 'boundary', boundary: 'turn_end', reason: null });
    case 'StopFailure': {
      const failure = note(event, 'error', text(payload, 'error') ?? 'the turn failed');
      return [failure, ...wordsThen(payload, { kind: 'boundary', boundary: 'turn_end', reason: 'failure' })];
    }
    case 'PreCompact':
    case 'PostCompact':
      return [{ kind: 'boundary', boundary: 'compaction', reason: text(payload, 'trigger') }];
    case 'Notification':
      return [note(event, 'info', text(payload, 'message') ?? '')];
    case 'SessionEnd':
      return [{ kind: 'boundary', boundary: 'session_end', reason: text(payload, 'reason') }];
    default: {
      if (OWN_TOOLS.test(text(payload, 'tool_name') ?? '')) return [];
      const own = Object.entries(payload).filter(([field]) => !COMMON_FIELDS.has(field));
      return [note(event, 'info', Object.fromEntries(own))];
    }
  }
}

/**
 * Translates one Claude Code hook. An event that Recollect does not know is kept as an info observation; null means that there is
 * nothing to store (a question for context, an answer of our own tools).
 */
export function translateHook(event: string, payload: HookPayload, deliveryId: string | null): HostEvent | null {
  const parts = partsOf(event, payload);
  if (parts.length === 0) return null;
  const toolUseId = parts.some((part) => part.kind === 'tool') ? text(payload, 'tool_use_id') : null;
  const source = event === 'SessionStart' ? text(payload, 'source') : null;
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
    metadata: source === null ? null : { source },
    parts,
  };
}
