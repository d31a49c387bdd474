import type { HostEvent } from './event.ts';
import type { HookPayload } from './hook-payload.ts';
import type { HostMapping } from './hosts/mapping.ts';

/** The context that a hook event requests; the host shows it to its agent. */
export type ContextQuestion =
  | { readonly purpose: 'session_start' }
  | { readonly purpose: 'prompt'; readonly prompt: string }
  | { readonly purpose: 'file'; readonly file: string };

const FILE_CHARS = 4096;

function promptOf(translated: HostEvent | null): ContextQuestion | null {
  const prompts = translated?.parts.flatMap((part) =>
    part.kind === 'prompt' && part.type === 'user' ? [part.content] : [],
  );
  const prompt = prompts?.join('\n').trim() ?? '';
  return prompt === '' ? null : { purpose: 'prompt', prompt };
}

/** Returns the file that Claude Code's Read is about to read; null for other tools. */
function fileOf(payload: HookPayload): ContextQuestion | null {
  const input = payload['tool_input'];
  if (payload['tool_name'] !== 'Read' || input === null || typeof input !== 'object') return null;
  const file: unknown = 'file_path' in input ? input.file_path : null;
  if (typeof file !== 'string' || file.trim() === '' || file.length > FILE_CHARS) return null;
  return { purpose: 'file', file: file.toWellFormed() };
}

/**
 * Returns the context that an event requests, for events whose response the host uses; null if it requests none. `mapping` is the host's,
 * null for Claude Code; `translated` is the translated event, null if the event only requests context.
 */
export function contextQuestion(
  mapping: HostMapping | null,
  event: string,
  payload: HookPayload,
  translated: HostEvent | null,
): ContextQuestion | null {
  if (mapping !== null) {
    const known = Object.hasOwn(mapping.events, event) ? mapping.events[event] : undefined;
    if (known?.session_start === true) return { purpose: 'session_start' };
    return known?.answered === true ? promptOf(translated) : null;
  }
  switch (event) {
    case 'SessionStart':
      return { purpose: 'session_start' };
    case 'UserPromptSubmit':
      return promptOf(translated);
    case 'PreToolUse':
      return fileOf(payload);
    default:
      return null;
  }
}
