import { createHash } from 'node:crypto';
import { wellFormed } from '../capture/well-formed.ts';
import { userWords } from './user-words.ts';

export interface ToolUse {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

export interface ToolResult {
  readonly useId: string;
  /** The tool's response, in the form of the hook if the transcript has it. */
  readonly response: unknown;
  /** Text of the error; null when the call succeeded. */
  readonly error: string | null;
}

/** Content of a line. */
export type Saying =
  | { readonly kind: 'user'; readonly text: string }
  | { readonly kind: 'results'; readonly results: readonly ToolResult[] }
  | {
      readonly kind: 'assistant';
      readonly messageId: string | null;
      readonly texts: readonly string[];
      readonly uses: readonly ToolUse[];
      /** The model ended its turn. */
      readonly stopped: boolean;
      readonly model: string | null;
    }
  | { readonly kind: 'compaction'; readonly trigger: string | null }
  /** The host marked the end of the turn. */
  | { readonly kind: 'turn_over' }
  /** Known types without content: thinking, file snapshots, host notes. */
  | { readonly kind: 'nothing' };

export interface TranscriptLine {
  readonly uuid: string;
  readonly parentUuid: string | null;
  /** The host's session id; null if the line has none. */
  readonly session: string | null;
  /** RFC 3339 in UTC; null if missing or invalid. */
  readonly at: string | null;
  readonly cwd: string | null;
  readonly agentId: string | null;
  readonly isSidechain: boolean;
  readonly says: Saying;
}

export type ReadLine =
  | { readonly kind: 'line'; readonly line: TranscriptLine }
  | { readonly kind: 'skipped'; readonly reason: 'truncated' | 'not_json' | 'unknown_type' | 'too_large' };

type Fields = Readonly<Record<string, unknown>>;

/** Internal line types of the host. */
const SILENT_TYPES = new Set([
  'attachment',
  'file-history-snapshot',
  'progress',
  'queue-operation',
  'last-prompt',
  'custom-title',
  'ai-title',
  'agent-name',
  'agent-color',
  'agent-setting',
  'tag',
  'mode',
  'permission-mode',
  'pr-link',
  'content-replacement',
  'worktree-state',
]);
const TURN_OVER = new Set(['turn_duration', 'stop_hook_summary']);
const FINAL_STOPS = new Set(['end_turn', 'stop_sequence', 'max_tokens', 'refusal']);
const ID_CHARS = 128;
const SESSION_CHARS = 256;
const PATH_CHARS = 4_096;

function fieldsOf(value: unknown): Fields | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : null;
}

function textOf(value: unknown, maxChars: number): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxChars ? wellFormed(value) : null;
}

/** Returns a time that PostgreSQL accepts, in UTC. */
function timeOf(value: unknown): string | null {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value) || value.startsWith('0000')) return null;
  const ms = Date.parse(value);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}

/** Returns the text blocks of a message's content, which may be a string. */
function textBlocks(content: unknown): string[] {
  if (typeof content === 'string') return content === '' ? [] : [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown) => {
    const fields = fieldsOf(block);
    return fields?.['type'] === 'text' && typeof fields['text'] === 'string' ? [fields['text']] : [];
  });
}

function blocksOf(content: unknown, type: string): Fields[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown) => {
    const fields = fieldsOf(block);
    return fields?.['type'] === type ? [fields] : [];
  });
}

/** Returns an error's text as in the hook of a failed call: without the transcript's tag. */
function errorText(content: unknown): string {
  const text = textBlocks(content).join('\n');
  const inner = /^\s*<tool_use_error>([\s\S]*)<\/tool_use_error>\s*$/.exec(text)?.[1] ?? text;
  return inner === '' ? 'failed' : inner;
}

function resultsOf(fields: Fields, content: unknown): ToolResult[] {
  const blocks = blocksOf(content, 'tool_result');
  const structured = fields['toolUseResult'];
  return blocks.flatMap((block): ToolResult[] => {
    const useId = textOf(block['tool_use_id'], SESSION_CHARS);
    if (useId === null) return [];
    if (block['is_error'] === true) return [{ useId, response: null, error: errorText(block['content']) }];
    // The structured response equals the hook's; it belongs to the line, so it applies to a single call only.
    const told = blocks.length === 1 && structured !== undefined && structured !== null;
    return [{ useId, response: told ? structured : (block['content'] ?? null), error: null }];
  });
}

function userSaying(fields: Fields, content: unknown): Saying {
  const results = resultsOf(fields, content);
  if (results.length > 0) return { kind: 'results', results };
  const hostMade =
    fields['isMeta'] === true || fields['isCompactSummary'] === true || fields['isVisibleInTranscriptOnly'] === true;
  if (hostMade) return { kind: 'nothing' };
  const text = userWords(textBlocks(content).join('\n'));
  return text === null ? { kind: 'nothing' } : { kind: 'user', text };
}

function assistantSaying(message: Fields): Saying {
  const content = message['content'];
  const uses = blocksOf(content, 'tool_use').flatMap((block): ToolUse[] => {
    const id = textOf(block['id'], SESSION_CHARS);
    return id === null
      ? []
      : [{ id, name: textOf(block['name'], SESSION_CHARS) ?? 'unknown', input: block['input'] ?? null }];
  });
  const stop = message['stop_reason'];
  const model = textOf(message['model'], SESSION_CHARS);
  return {
    kind: 'assistant',
    messageId: textOf(message['id'], SESSION_CHARS),
    texts: textBlocks(content).filter((text) => text.trim() !== ''),
    uses,
    stopped: typeof stop === 'string' && FINAL_STOPS.has(stop),
    // Lines that the host wrote in the model's name.
    model: model === null || model.startsWith('<') ? null : model,
  };
}

function systemSaying(fields: Fields): Saying {
  const subtype = fields['subtype'];
  if (subtype === 'compact_boundary') {
    const metadata = fieldsOf(fields['compactMetadata']);
    return { kind: 'compaction', trigger: textOf(metadata?.['trigger'], ID_CHARS) };
  }
  return typeof subtype === 'string' && TURN_OVER.has(subtype) ? { kind: 'turn_over' } : { kind: 'nothing' };
}

/** Returns the content of a line; null for an unknown type. */
function sayingOf(fields: Fields): Saying | null {
  const type = fields['type'];
  const message = fieldsOf(fields['message']) ?? {};
  switch (type) {
    case 'user':
      return userSaying(fields, message['content']);
    case 'assistant':
      return assistantSaying(message);
    case 'system':
      return systemSaying(fields);
    case 'summary':
      return { kind: 'compaction', trigger: null };
    default:
      return typeof type === 'string' && SILENT_TYPES.has(type) ? { kind: 'nothing' } : null;
  }
}

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Parses one line of a transcript. Never throws: an unreadable line is returned with its reason. */
export function readLine(bytes: Uint8Array): ReadLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    // A line that starts as an object without ending as one was truncated during the write.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').trim();
    return { kind: 'skipped', reason: text.startsWith('{') && !text.endsWith('}') ? 'truncated' : 'not_json' };
  }
  const fields = fieldsOf(parsed);
  if (fields === null) return { kind: 'skipped', reason: 'not_json' };
  const says = sayingOf(fields);
  if (says === null) return { kind: 'skipped', reason: 'unknown_type' };
  return {
    kind: 'line',
    line: {
      uuid:
        textOf(fields['uuid'], ID_CHARS) ??
        (fields['type'] === 'summary' ? textOf(fields['leafUuid'], ID_CHARS) : null) ??
        digest(bytes),
      parentUuid: textOf(fields['parentUuid'], ID_CHARS),
      session: textOf(fields['sessionId'], SESSION_CHARS),
      at: timeOf(fields['timestamp']),
      cwd: textOf(fields['cwd'], PATH_CHARS),
      agentId: textOf(fields['agentId'], ID_CHARS),
      isSidechain: fields['isSidechain'] === true,
      says,
    },
  };
}
