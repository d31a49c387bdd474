import { CONTEXT_TAG } from '../recalled/recalled-block.ts';

/* Responses of our own tools are recall, not experience: captured, they would be found instead of the memories that they quote. */

/** Claude Code's and Codex's names of MCP tools: `mcp__recollect__search`, `mcp__plugin_x_recollect__get`. */
const OWN_SERVER = /^mcp__(?:[a-z0-9-]{1,64}_){0,8}recollect(?:_[a-z0-9-]{1,64}){0,8}__/i;
const TOOLS = '(?:search|timeline|get|remember|forget|context)';
/** Names in other hosts: `mcp_recollect_search`, `recollect-search`, `recollect.search`, `MCP:recollect/search`. */
const OWN_TOOL = new RegExp(`^(?:mcp[^a-z0-9]{1,2})?recollect[^a-z0-9]{1,2}${TOOLS}$`, 'i');
/** Names without our server: Cursor's `MCP:search` or `search`, and a server registered under another name, `mcp__memory__search`. */
const ANYBODYS_TOOL = new RegExp(`(?:^|[^a-z0-9])${TOOLS}$`, 'i');
/** A command that only reads or writes the memory; pipes may only truncate its output. */
const OWN_COMMAND = new RegExp(
  `^\\s*(?:cd\\s[^;&|\\n]{1,500}&&\\s*)?(?:npx\\s(?:-\\S+\\s)?)?(?:[^\\s;&|'"]{0,200}/)?recollect\\s+${TOOLS}\\b(?:[^;&|\\n\\\\"'\`$]|&1|"[^"\\\\\`$]*"|'[^']*'|\\|\\s*(?:head|tail|cat|jq|grep|sed|less)\\b)*$`,
);
/** Longer commands do more than that, or contain text worth storing. */
const COMMAND_CHARS = 4_000;
const HASH = /^[a-z2-7]{8}$/;
const ANSWER_FIELDS = new Set(['data', 'degraded', 'missing', 'anchor', 'has_before', 'has_after']);

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Parses a JSON text; returns any other text unchanged. */
function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // Truncated by its host, or not JSON.
  }
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && HASH.test(value);
}

function isListed(item: unknown): boolean {
  return (
    isFields(item) &&
    isHash(item['hash']) &&
    (typeof item['preview'] === 'string' || typeof item['content'] === 'string')
  );
}

/** Returns true for a possible response of our tools. Unwraps what hosts and the protocol put around a text. */
function isOwnAnswer(answer: unknown, depth = 0): boolean {
  if (depth > 6) return false;
  if (typeof answer === 'string') {
    if (answer.trimStart().startsWith(`<${CONTEXT_TAG}`)) return true;
    const value = parsed(answer);
    return typeof value !== 'string' && isOwnAnswer(value, depth + 1);
  }
  if (Array.isArray(answer)) return answer.length === 1 && isOwnAnswer(answer[0], depth + 1);
  if (!isFields(answer)) return false;
  if ('content' in answer && !('hash' in answer)) return isOwnAnswer(answer['content'], depth + 1);
  if (answer['type'] === 'text' && typeof answer['text'] === 'string') return isOwnAnswer(answer['text'], depth + 1);
  const names = Object.keys(answer);
  if (names.length === 1 && isHash(answer['hash'])) return true;
  const { data, forgotten } = answer;
  // An empty list does not show its origin and contains nothing to find again.
  if (Array.isArray(forgotten)) return forgotten.length > 0 && forgotten.every(isHash);
  return (
    Array.isArray(data) && data.length > 0 && names.every((name) => ANSWER_FIELDS.has(name)) && data.every(isListed)
  );
}

/** Returns the line that a tool passes to a shell; '' if none. Codex passes program and arguments, the line last. */
function commandOf(input: unknown): string {
  if (!isFields(input)) return '';
  const command = input['command'] ?? input['cmd'];
  const line: unknown = Array.isArray(command) ? command.at(-1) : command;
  return typeof line === 'string' && line.length <= COMMAND_CHARS ? line : '';
}

/**
 * Returns true for a call of one of our MCP tools: by name, or by response too if the name is ambiguous. Also for a shell command that
 * only runs `recollect get` and similar: its output is recall as well.
 */
export function isOwnTool(name: string, answer: unknown = null, input: unknown = null): boolean {
  if (OWN_SERVER.test(name) || OWN_TOOL.test(name)) return true;
  if (ANYBODYS_TOOL.test(name) && isOwnAnswer(answer)) return true;
  return OWN_COMMAND.test(commandOf(input));
}
