import type { HostEvent } from './event.ts';
import type { HookPayload } from './hook-payload.ts';
import type { HostMapping } from './hosts/mapping.ts';

/** What a hook's event asks memory for; the host shows the answer to its agent. */
export type ContextQuestion =
  | { readonly purpose: 'session_start' }
  | { readonly purpose: 'prompt'; readonly prompt: string }
  | { readonly purpose: 'file'; readonly file: string };

const FILE_CHARS = 4096;

function promptOf(told: HostEvent | null): ContextQuestion | null {
  const said = told?.parts.flatMap((part) => (part.kind === 'prompt' && part.type === 'user' ? [part.content] : []));
  const prompt = said?.join('\n').trim() ?? '';
  return prompt === '' ? null : { purpose: 'prompt', prompt };
}

/** The file that Claude Code's Read is about to read; null for any other tool. */
function fileOf(payload: HookPayload): ContextQuestion | null {
  const input = payload['tool_input'];
  if (payload['tool_name'] !== 'Read' || input === null || typeof input !== 'object') return null;
  const file: unknown = 'file_path' in input ? input.file_path : null;
  if (typeof file !== 'string' || file.trim() === '' || file.length > FILE_CHARS) return null;
  return { purpose: 'file', file: file.toWellFormed() };
}

/**
 * What an event asks for, of the events that its host takes an answer to; null where it asks for nothing. `mapping` is the host's, null for
 * Claude Code; `told` is what the event was understood as, null where it only asks.
 */
export function contextQuestion(
  mapping: HostMapping | null,
  event: string,
  payload: HookPayload,
  told: HostEvent | null,
): ContextQuestion | null {
  if (mapping !== null) {
    const known = Object.hasOwn(mapping.events, event) ? mapping.events[event] : undefined;
    if (known?.session_start === true) return { purpose: 'session_start' };
    return known?.answered === true ? promptOf(told) : null;
  }
  switch (event) {
    case 'SessionStart':
      return { purpose: 'session_start' };
    case 'UserPromptSubmit':
      return promptOf(told);
    case 'PreToolUse':
      return fileOf(payload);
    default:
      return null;
  }
}
